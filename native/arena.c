/* One mapping, taken from front to back and given back whole; untouched pages of it cost nothing. */
#include "base.h"
#include "plan.h"
#include <errno.h>
#include <sys/mman.h>

int arena_new(struct arena *arena, size_t size)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return errno;
	*arena = (struct arena){ base, 0, size };
	return 0;
}

void *arena_take(struct arena *arena, size_t size)
{
	size_t aligned = (size + 15) & ~(size_t)15;
	if (aligned < size || aligned > arena->size - arena->used)
		return NULL;
	void *taken = arena->base + arena->used;
	arena->used += aligned;
	return taken;
}

void arena_free(struct arena *arena)
{
	if (arena->base)
		munmap(arena->base, arena->size);
	*arena = (struct arena){ 0 };
}

void plan_free(struct plan *plan)
{
	arena_free(&plan->arena);
	arena_free(&plan->bytes);
	*plan = (struct plan){ 0 };
}
