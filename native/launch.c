/* Performs a plan. See README.md here: what it means, its bytes, the options. */
#include "base.h"
#include "control.h"
#include "hand.h"
#include "leftovers.h"
#include "ledger.h"
#include "options.h"
#include "read_plan.h"
#include "say.h"
#include "seal.h"
#include "supervise.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALIVE = 1 };

static int complain(const char *what, const char *object, int error)
{
	say(what, object ? " " : "", object ? object : "", ": ", error_text(error), " (", error_name(error), ")", NULL);
	return NOT_RUN;
}

/* With an asker it is told by events, and words it better than we could. */
static void explain_failure(const struct plan *plan, const struct outcome *outcome)
{
	const struct step *step = &plan->steps[outcome->step];
	char index[NUMBER_MAX], count[NUMBER_MAX], call[256];
	if (control_fd() < 0)
		say("step ", number(index, outcome->step + 1), " of ", number(count, plan->count), ", ",
		    step_text(step, call, sizeof call), ": ", error_text(outcome->error), " (", error_name(outcome->error), ")", NULL);
}

static int watch_over(struct hand *hand, struct plan *plan, const char *status_file)
{
	plan_free(plan);
	int status = supervise(hand);
	int error = status_file ? write_status(status_file, status) : 0;
	if (error)
		complain("status file", status_file, error);
	event((struct event){ .type = EXITED, .value = (uint32_t)status });
	events_flush();
	return exit_code(status);
}

static int clean(int code)
{
	int error = ledger_play();
	event((struct event){ .type = CLEAN, .error = error });
	events_flush();
	return code;
}

/* Its ledger is another's, or can't be made: nothing is done, and nothing is to be undone. */
static int taken(const char *ledger, int error)
{
	event((struct event){ .type = TAKEN, .error = error });
	events_flush();
	return control_fd() < 0 ? complain("ledger", ledger, error) : NOT_RUN;
}

/* The container is made. Whoever looks after it plays the ledger in the end. */
static int leave(void)
{
	event((struct event){ .type = LEAVES });
	events_flush();
	ledger_forget();
	return 0;
}

static int carry_out(struct plan *plan, const struct options *options, mode_t inherited_umask)
{
	struct hand hand;
	int code = 0;
	hand_init(&hand, plan);
	hand.umask = inherited_umask;
	hand.detach = options->detach;
	hand.leave = options->leave;
	hand.pass = options->pass;
	struct outcome outcome = host_perform(&hand, options->step);
	hand_drop(&hand);
	close_passed(hand.pass);
	if (outcome.ending == LEFT || (outcome.ending == RUNNING && hand.leave))
		return leave();
	if (outcome.ending == RUNNING)
		return clean(watch_over(&hand, plan, options->status));
	host_kill_child(&hand);
	kill_leftovers();
	if (outcome.ending == FAILED) {
		explain_failure(plan, &outcome);
		code = failure_code(&plan->steps[outcome.step], outcome.error);
	}
	if (outcome.ending == ABORTED)
		code = outcome.error ? 128 + outcome.error : NOT_RUN;
	return clean(code);
}

static int perform(const struct options *options, char **argv)
{
	struct plan plan;
	fill_standard_descriptors();
	int error = seal_self(argv);
	if (error)
		return complain("seal", "/proc/self/exe", error);
	forget_environment();
	if (options->control >= 0)
		setsid(); /* a terminal's signals are the asker's: it sends on what is meant for the program */
	error = read_plan(options, &plan);
	if (error)
		return error == EBADMSG ? NOT_RUN : complain("plan", options->plan, error);
	close_inherited(options->control, options->pass);
	mode_t inherited_umask = umask(0); /* a step's mode is the mode */
	signals_open();
	become_reaper();
	error = ledger_open(options->ledger);
	if (error)
		return taken(options->ledger, error);
	return carry_out(&plan, options, inherited_umask);
}

static int undo(const char *ledger)
{
	int error = ledger_recover(ledger);
	if (error == EWOULDBLOCK) {
		say("undo ", ledger, ": its launcher is alive", NULL);
		return ALIVE;
	}
	return error ? complain("undo", ledger, error) : 0;
}

int main(int argc, char **argv)
{
	struct options options;
	if (!parse_options(argc, argv, &options))
		return 2;
	switch (options.mode) {
	case PERFORM: return perform(&options, argv);
	case UNDO: return undo(options.ledger);
	case CHECK: return check_plan();
	case KINDS: kinds_print(); return 0;
	}
	return 2;
}
