/*
 * The decoder against bytes from an enemy: sound plans, broken in many ways, must be refused or decoded, and nothing
 * decoded may point outside of the plan. Run it under the sanitizers (make fuzz): build/fuzz [iterations] [seed].
 */
#include "plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static volatile uint64_t sink; /* what was decoded is read, so that the sanitizers see where it lies */

static void read_arg(char letter, const struct arg *arg)
{
	if (letter == 'u' || letter == 'U')
		sink += arg->number;
	if (letter == 'f' && (arg->slot < -1 || arg->slot >= SLOTS))
		abort();
	if (letter == 's' && arg->text && strlen(arg->text) != arg->length)
		abort();
	if (letter == 'b')
		for (uint32_t i = 0; i < arg->length; i++)
			sink += (uint8_t)arg->text[i];
	if (letter == 'v')
		for (uint32_t i = 0; i <= arg->length; i++)
			sink += arg->list[i] ? strlen(arg->list[i]) : i != arg->length ? (abort(), 0) : 0;
}

static void read_step(const struct step *step)
{
	const struct arg *arg = step->args;
	for (const char *letter = step->kind->signature; *letter; letter++)
		if (*letter != '?')
			read_arg(*letter, arg++);
	for (uint32_t i = 0; i < step->undo_length; i++)
		sink += step->undo[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct plan plan;
	if (plan_decode(&plan, bytes, length) == 0)
		for (uint32_t i = 0; i < plan.count; i++)
			read_step(&plan.steps[i]);
	else if (plan.bad > length)
		abort();
	plan_free(&plan);

	struct arena arena;
	struct step undo;
	if (arena_new(&arena, 8 * length + 4096) == 0 && step_decode_undo(&undo, bytes, length, &arena) == 0)
		read_step(&undo);
	arena_free(&arena);
	return 0;
}

static uint64_t state;

static uint32_t random_below(uint32_t limit) /* xorshift64 */
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % limit;
}

struct text { uint8_t bytes[8192]; size_t used; };

static void put(struct text *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size && to->used < sizeof to->bytes; i++)
		to->bytes[to->used++] = (uint8_t)(value >> (8 * i));
}

static void put_string(struct text *to)
{
	uint32_t length = random_below(12);
	put(to, length, 4);
	for (uint32_t i = 0; i < length; i++)
		put(to, 'a' + random_below(26), 1);
	put(to, 0, 1);
}

static void put_arg(struct text *to, char letter, bool optional)
{
	uint32_t count;
	if (optional && random_below(2)) {
		put(to, UINT32_MAX, 4);
		return;
	}
	switch (letter) {
	case 'u': put(to, random_below(1000), 4); break;
	case 'U': put(to, state, 8); break;
	case 'f': put(to, random_below(SLOTS), 4); break;
	case 's': put_string(to); break;
	case 'b': put(to, 3, 4); put(to, state, 3); break;
	case 'v':
		count = random_below(4);
		put(to, count, 4);
		while (count-- > 0)
			put_string(to);
	}
}

static void fix(struct text *to, size_t at, uint64_t value)
{
	for (size_t i = 0; i < 4; i++)
		to->bytes[at + i] = (uint8_t)(value >> (8 * i));
}

static void put_step(struct text *to, const struct kind *kind, uint8_t hand, bool as_undo)
{
	static const uint16_t undoing[] = { 13, 17, 18, 19, 21, 32, 33 };
	size_t start = to->used;
	bool undo = !as_undo && hand == HOST && random_below(2);
	put(to, 0, 4);
	put(to, kind->code, 2);
	put(to, hand, 1);
	put(to, undo, 1);
	put(to, random_below(40), 4);
	put(to, 0, 4);
	for (const char *letter = kind->signature; *letter; letter++)
		if (*letter == 'f' && as_undo)
			put(to, UINT32_MAX, 4);
		else if (*letter != '?')
			put_arg(to, *letter, letter[1] == '?');
	fix(to, start + 12, to->used - start - 16);
	if (undo)
		put_step(to, kind_by_code(undoing[random_below(7)]), HOST, true);
	fix(to, start, to->used - start);
}

/* A sound plan: host steps, a clone, steps of either hand, sometimes an exec. */
static void make_plan(struct text *to)
{
	uint32_t wanted = 1 + random_below(12), clone = random_below(wanted + 1), count = 0;
	*to = (struct text){ 0 };
	memcpy(to->bytes, PLAN_MAGIC, 8);
	to->used = PLAN_HEAD;
	while (count < wanted) {
		const struct kind *kind = count == clone ? kind_by_code(KIND_CLONE) : kind_by_code((uint16_t)random_below(128));
		bool born = count > clone;
		if (!kind || (kind->code == KIND_CLONE && count != clone) || (kind->hands == 'c' && !born) ||
		    (kind->code == KIND_EXEC && count + 1 != wanted))
			continue;
		uint8_t hand = kind->hands == 'c' || (kind->hands == 'b' && born && random_below(2)) ? CHILD : HOST;
		put_step(to, kind, hand, false);
		count++;
	}
	fix(to, 8, to->used);
	fix(to, 12, count);
}

/* A few bytes, a length that is nearly right, an end that comes early: what shakes decoders. */
static void damage(struct text *plan)
{
	static const uint32_t edges[] = { 0, 1, 4, 15, 16, 64, 65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	for (uint32_t times = 1 + random_below(3); times > 0; times--) {
		size_t at = random_below((uint32_t)plan->used);
		switch (random_below(5)) {
		case 0: plan->bytes[at] ^= (uint8_t)(1 << random_below(8)); break;
		case 1: plan->bytes[at] = (uint8_t)random_below(256); break;
		case 2: if (at + 4 <= plan->used) fix(plan, at, edges[random_below(11)]); break;
		case 3: if (at + 4 <= plan->used) fix(plan, at, plan->bytes[at] + random_below(3) - 1); break;
		case 4:
			plan->used = at + 1;
			if (at >= PLAN_HEAD && random_below(2))
				fix(plan, 8, plan->used); /* so that the end is found missing inside, not at the head */
		}
	}
}

/* Decodes a copy that ends where its memory ends, so that one byte too far is seen. */
static int try(const struct text *plan)
{
	struct plan decoded;
	uint8_t *copy = malloc(plan->used);
	memcpy(copy, plan->bytes, plan->used);
	LLVMFuzzerTestOneInput(copy, plan->used);
	if (plan->used > PLAN_HEAD)
		LLVMFuzzerTestOneInput(copy + PLAN_HEAD, plan->used - PLAN_HEAD); /* its first step, as from a ledger */
	int refused = plan_decode(&decoded, copy, plan->used);
	plan_free(&decoded);
	free(copy);
	return refused;
}

#ifndef LIBFUZZER
int main(int argc, char **argv)
{
	unsigned long iterations = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000, sound = 0, accepted = 0;
	state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 88172645463325252;
	for (unsigned long i = 0; i < iterations; i++) {
		struct text plan;
		make_plan(&plan);
		if (plan.used < sizeof plan.bytes)
			sound += !try(&plan);
		damage(&plan);
		accepted += !try(&plan);
	}
	printf("%lu plans: %lu sound ones decoded, %lu damaged ones still decode\n", iterations, sound, accepted);
	return sound == iterations ? 0 : 1;
}
#endif
