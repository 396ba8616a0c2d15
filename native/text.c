/* A step in words, for messages: the call and the strings among its arguments. */
#include "base.h"
#include "hand.h"
#include <string.h>

static void add(char *buffer, size_t size, const char *text, size_t length)
{
	size_t used = strlen(buffer), room = size - 1 - used;
	if (length > room)
		length = room;
	memcpy(buffer + used, text, length);
	buffer[used + length] = 0;
}

static void add_string(char *buffer, size_t size, const char *text, bool first)
{
	add(buffer, size, ", \"" + (first ? 2 : 0), first ? 1 : 3);
	add(buffer, size, text, strlen(text));
	add(buffer, size, "\"", 1);
}

const char *step_text(const struct step *step, char *buffer, size_t size)
{
	const struct arg *arg = step->args;
	bool first = true;
	buffer[0] = 0;
	add(buffer, size, step->kind->name, strlen(step->kind->name));
	add(buffer, size, "(", 1);
	for (const char *letter = step->kind->signature; *letter; letter++) {
		if (*letter == '?')
			continue;
		const char *text = *letter == 's' ? arg->text : *letter == 'v' ? arg->list[0] : NULL;
		if (text) {
			add_string(buffer, size, text, first);
			first = false;
		}
		if (*letter == 'v')
			break; /* the program is enough of an exec */
		arg++;
	}
	add(buffer, size, ")", 1);
	return buffer;
}
