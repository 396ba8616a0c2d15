#pragma once
#include <stdbool.h>

struct options {
	enum { PERFORM, UNDO, CHECK, KINDS } mode;
	const char *plan, *ledger, *status;
	int control, keep; /* -1: none */
	bool step, detach, leave;
};
bool parse_options(int argc, char **argv, struct options *);
