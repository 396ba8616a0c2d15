/* The decoder: bytes that anyone may have written become steps, or are refused at an offset. */
#include "base.h"
#include "wire.h"
#include <errno.h>
#include <string.h>

static bool take_list(struct reader *in, struct arg *arg, uint32_t *strings)
{
	if (!take_u32(in, &arg->length) || arg->length > STRINGS_MAX - *strings)
		return false;
	*strings += arg->length;
	/* A string is at least its length and its NUL: a count that can't fit doesn't get memory. */
	if (arg->length > (size_t)(in->end - in->at) / 5)
		return false;
	const char **list = arena_take(in->arena, (arg->length + (size_t)1) * sizeof *list);
	if (!list)
		return false;
	for (uint32_t i = 0, length; i < arg->length; i++)
		if (!take_string(in, false, &list[i], &length))
			return false;
	list[arg->length] = NULL;
	arg->list = (char *const *)list;
	return true;
}

static bool take_slot(struct reader *in, bool optional, int *slot)
{
	uint32_t value;
	if (!take_u32(in, &value))
		return false;
	*slot = value == UINT32_MAX ? -1 : (int)value;
	return value == UINT32_MAX ? optional : value < SLOTS;
}

static bool take_arg(struct reader *in, char letter, bool optional, struct arg *arg, uint32_t *strings)
{
	const uint8_t *bytes;
	switch (letter) {
	case 'u': return take_number(in, 4, &arg->number);
	case 'U': return take_number(in, 8, &arg->number);
	case 'f': return take_slot(in, optional, &arg->slot);
	case 's': return take_string(in, optional, &arg->text, &arg->length);
	case 'v': return take_list(in, arg, strings);
	case 'b':
		if (!take_u32(in, &arg->length) || !take(in, arg->length, &bytes))
			return false;
		arg->text = (const char *)bytes;
		return true;
	}
	return false;
}

static bool take_args(struct reader *in, const struct kind *kind, struct step *step)
{
	struct arg *args = arena_take(in->arena, strlen(kind->signature) * sizeof *args);
	uint32_t strings = 0, count = 0;
	if (!args)
		return false;
	for (const char *letter = kind->signature; *letter; letter++) {
		if (*letter == '?')
			continue;
		if (!take_arg(in, letter[0], letter[1] == '?', &args[count], &strings))
			return false;
		step->uses_slots |= *letter == 'f' && args[count].slot >= 0;
		count++;
	}
	step->args = args;
	return in->at == in->end;
}

static bool hand_fits(const struct kind *kind, uint64_t hand)
{
	return hand == HOST ? kind->hands != 'c' : hand == CHILD && kind->hands != 'h';
}

/* The head and the arguments of a step; what is left in `body` is its undo. */
static bool take_step(struct reader *in, struct step *step, struct reader *body, bool *has_undo)
{
	struct reader args;
	uint32_t length, args_length;
	uint64_t code, hand, undo, tolerate[2];

	if (!take_u32(in, &length) || length < 4 || !take_part(in, length - 4, body))
		return false;
	if (!take_number(body, 2, &code) || !take_number(body, 1, &hand) || !take_number(body, 1, &undo) ||
	    !take_number(body, 2, &tolerate[0]) || !take_number(body, 2, &tolerate[1]) ||
	    !take_u32(body, &args_length) || !take_part(body, args_length, &args))
		return false;
	step->kind = kind_by_code((uint16_t)code);
	if (!step->kind || !hand_fits(step->kind, hand) || undo > 1)
		return false;
	step->hand = (uint8_t)hand;
	step->tolerate[0] = (uint16_t)tolerate[0];
	step->tolerate[1] = (uint16_t)tolerate[1];
	*has_undo = undo;
	return take_args(&args, step->kind, step);
}

/* An undo is played later, maybe by another process: it can't use slots, and has no undo itself. */
static bool stands_alone(const struct step *step)
{
	return step->hand == HOST && step->kind->undoes && !step->uses_slots;
}

int step_decode_undo(struct step *step, const uint8_t *bytes, size_t length, struct arena *arena)
{
	struct reader in = { bytes, bytes + length, arena }, body;
	bool has_undo;
	*step = (struct step){ 0 };
	bool ok = take_step(&in, step, &body, &has_undo) && !has_undo && stands_alone(step) &&
		  body.at == body.end && in.at == in.end;
	return ok ? 0 : EINVAL;
}

static bool decode_step(struct reader *in, struct step *step)
{
	struct reader body;
	struct step undo;
	bool has_undo;
	if (!take_step(in, step, &body, &has_undo))
		return false;
	if (has_undo) {
		size_t before = in->arena->used;
		step->undo = body.at;
		step->undo_length = (uint32_t)(body.end - body.at);
		if (step->hand != HOST || step_decode_undo(&undo, step->undo, step->undo_length, in->arena))
			return false;
		in->arena->used = before; /* only proven to be sound; the ledger keeps the bytes */
		body.at = body.end;
	}
	return body.at == body.end;
}

/* What only the list as a whole can show: one birth, nothing for the child before it or after its exec. */
static bool order_holds(const struct plan *plan, uint32_t i, bool *born, bool *gone)
{
	const struct step *step = &plan->steps[i];
	bool clone = step->kind->code == KIND_CLONE, exec = step->kind->code == KIND_EXEC;
	if ((clone && *born) || (step->hand == CHILD && (!*born || *gone)))
		return false;
	*born |= clone;
	*gone |= exec;
	return true;
}

int plan_decode(struct plan *plan, const uint8_t *bytes, size_t length)
{
	struct reader in = { bytes, bytes + length, &plan->arena };
	const uint8_t *magic;
	uint32_t total;
	bool born = false, gone = false;

	*plan = (struct plan){ 0 };
	if (!take(&in, 8, &magic) || memcmp(magic, PLAN_MAGIC, 8) != 0)
		return EINVAL;
	plan->bad = 8;
	if (!take_u32(&in, &total) || total != length || length > PLAN_MAX)
		return EINVAL;
	plan->bad = 12;
	if (!take_u32(&in, &plan->count) || plan->count > STEPS_MAX || plan->count > (length - PLAN_HEAD) / 16)
		return EINVAL;
	/* A byte on the wire becomes at most 6 in memory (an empty list: 4 become an arg and a pointer); and alignment. */
	if (arena_new(&plan->arena, 12 * length + 4096))
		return ENOMEM;
	plan->steps = arena_take(&plan->arena, plan->count * sizeof *plan->steps);
	for (uint32_t i = 0; i < plan->count; i++) {
		plan->bad = (uint32_t)(in.at - bytes);
		if (!plan->steps || !decode_step(&in, &plan->steps[i]) || !order_holds(plan, i, &born, &gone))
			return EINVAL;
	}
	plan->bad = (uint32_t)(in.at - bytes);
	return in.at == in.end ? 0 : EINVAL;
}
