#include "base.h"
#include "options.h"
#include "say.h"
#include <string.h>

static bool parse_descriptor(const char *text, int *fd)
{
	int value = 0;
	if (!text || !*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > 100000000)
			return false;
		value = value * 10 + (*text - '0');
	}
	*fd = value;
	return true;
}

static bool usage(const char *wrong)
{
	say("usage: launch --plan FILE | --control FD [--ledger FILE] [--pass N] [--step] [--detach | --leave] [--status FILE]"
	    " | --undo FILE | --check | --kinds", wrong ? "; not understood: " : NULL, wrong, NULL);
	return false;
}

bool parse_options(int argc, char **argv, struct options *options)
{
	const char *control = NULL, *pass = NULL, *undo = NULL;
	struct { const char *name; const char **value; } with_value[] = {
		{ "--plan", &options->plan }, { "--control", &control }, { "--pass", &pass }, { "--ledger", &options->ledger },
		{ "--status", &options->status }, { "--undo", &undo },
	};
	*options = (struct options){ .mode = PERFORM, .control = -1 };
	for (int i = 1; i < argc; i++) {
		size_t known = 0, count = sizeof with_value / sizeof *with_value;
		while (known < count && strcmp(argv[i], with_value[known].name) != 0)
			known++;
		if (known < count && i + 1 < argc)
			*with_value[known].value = argv[++i];
		else if (strcmp(argv[i], "--step") == 0)
			options->step = true;
		else if (strcmp(argv[i], "--detach") == 0)
			options->detach = true;
		else if (strcmp(argv[i], "--leave") == 0)
			options->leave = true;
		else if (strcmp(argv[i], "--check") == 0)
			options->mode = CHECK;
		else if (strcmp(argv[i], "--kinds") == 0)
			options->mode = KINDS;
		else
			return usage(argv[i]);
	}
	if (undo) {
		options->mode = UNDO;
		options->ledger = undo;
	}
	if (control && !parse_descriptor(control, &options->control))
		return usage(control);
	if (pass && !parse_descriptor(pass, &options->pass))
		return usage(pass);
	if (control && options->pass > 0 && options->control < 3 + options->pass)
		return usage("--control within --pass");
	if (options->mode == PERFORM && !options->plan == !control)
		return usage(NULL);
	return !options->step || control || usage("--step without --control");
}
