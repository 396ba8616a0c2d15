/* Taking values from bytes that may end anywhere: each says whether it was there, and moves on only if it was. */
#pragma once
#include "plan.h"

struct reader {
	const uint8_t *at, *end;
	struct arena *arena;
};

bool take(struct reader *, size_t size, const uint8_t **bytes);
bool take_number(struct reader *, size_t size, uint64_t *value); /* little-endian */
bool take_u32(struct reader *, uint32_t *value);
bool take_string(struct reader *, bool optional, const char **text, uint32_t *length);
bool take_part(struct reader *, size_t size, struct reader *part); /* nothing inside can reach what follows it */
