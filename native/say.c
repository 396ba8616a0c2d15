#define _GNU_SOURCE
#include "say.h"
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

char *number(char buffer[NUMBER_MAX], uint64_t value)
{
	char *at = buffer + NUMBER_MAX - 1;
	*at = 0;
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	return at;
}

void say(const char *first, ...)
{
	char line[512] = "launch: ";
	size_t used = strlen(line);
	va_list pieces;
	va_start(pieces, first);
	for (const char *piece = first; piece; piece = va_arg(pieces, const char *)) {
		size_t length = strnlen(piece, sizeof line - 1 - used);
		memcpy(line + used, piece, length);
		used += length;
	}
	va_end(pieces);
	line[used++] = '\n';
	/* One write, so that lines of two launchers don't mix; if it can't be said there is nobody to tell. */
	if (write(2, line, used) < 0)
		return;
}

const char *error_name(int error)
{
	const char *name = strerrorname_np(error);
	return name ? name : "?";
}

const char *error_text(int error)
{
	const char *text = strerrordesc_np(error);
	return text ? text : "unknown error";
}
