#pragma once
#include <stdbool.h>

struct options {
	enum { PERFORM, UNDO, CHECK, KINDS } mode;
	const char *plan, *ledger, *status;
	int control; /* -1: none */
	int pass;    /* so many descriptors from 3 on are the program's */
	bool step, detach, leave;
};
bool parse_options(int argc, char **argv, struct options *);
