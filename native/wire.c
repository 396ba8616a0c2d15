#include "base.h"
#include "wire.h"
#include <string.h>

bool take(struct reader *in, size_t size, const uint8_t **bytes)
{
	if ((size_t)(in->end - in->at) < size)
		return false;
	*bytes = in->at;
	in->at += size;
	return true;
}

bool take_number(struct reader *in, size_t size, uint64_t *value)
{
	const uint8_t *bytes;
	if (!take(in, size, &bytes))
		return false;
	*value = 0;
	for (size_t i = 0; i < size; i++)
		*value |= (uint64_t)bytes[i] << (8 * i);
	return true;
}

bool take_u32(struct reader *in, uint32_t *value)
{
	uint64_t wide;
	bool ok = take_number(in, 4, &wide);
	if (ok)
		*value = (uint32_t)wide;
	return ok;
}

bool take_string(struct reader *in, bool optional, const char **text, uint32_t *length)
{
	const uint8_t *bytes;
	*text = NULL;
	if (!take_u32(in, length))
		return false;
	if (*length == UINT32_MAX) {
		*length = 0;
		return optional;
	}
	/* The NUL makes it a C string where it lies; one inside would make C see another path than TypeScript did. */
	if (!take(in, (size_t)*length + 1, &bytes) || memchr(bytes, 0, (size_t)*length + 1) != bytes + *length)
		return false;
	*text = (const char *)bytes;
	return true;
}

bool take_part(struct reader *in, size_t size, struct reader *part)
{
	const uint8_t *bytes;
	if (!take(in, size, &bytes))
		return false;
	*part = (struct reader){ bytes, bytes + size, in->arena };
	return true;
}
