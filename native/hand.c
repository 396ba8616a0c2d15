/* What both hands have in common: slots, and doing one step. */
#include "base.h"
#include "hand.h"
#include "control.h"
#include <unistd.h>

void hand_init(struct hand *hand, const struct plan *plan)
{
	*hand = (struct hand){ .plan = plan, .sync = -1, .terminal = -1 };
	for (int i = 0; i < SLOTS; i++)
		hand->slots[i] = -1;
}

int hand_put(struct hand *hand, int slot, int fd)
{
	int *at = slot < 0 ? &fd : &hand->slots[slot], old = *at;
	*at = slot < 0 ? -1 : fd;
	if (old >= 0)
		close(old);
	return 0;
}

int hand_fd(const struct hand *hand, int slot)
{
	return slot < 0 ? -1 : hand->slots[slot];
}

void hand_drop(struct hand *hand)
{
	for (int slot = 0; slot < SLOTS; slot++)
		if (hand->slots[slot] != hand->terminal)
			hand_put(hand, slot, -1);
}

int hand_perform(struct hand *hand, const struct step *step, uint64_t *ns)
{
	/* Under a filter that a step has just loaded, asking for the time might be our death. */
	bool timed = step->kind->code != KIND_SECCOMP && step->kind->code != KIND_EXEC;
	uint64_t before = timed ? now() : 0;
	int error = step->kind->perform(hand, step->args);
	*ns = timed ? now() - before : 0;
	return error;
}

bool step_tolerates(const struct step *step, int error)
{
	return error && (error == step->tolerate[0] || error == step->tolerate[1]);
}
