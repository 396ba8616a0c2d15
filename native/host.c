/* The host hand: walks down the list, does its own steps, and asks the child for the others. */
#include "base.h"
#include "attend.h"
#include "control.h"
#include "kernel.h"
#include "ledger.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* May the program counter go on to this step? With --step the asker says when. */
static bool permitted(struct hand *hand, bool *stepping, bool running, uint32_t pc, struct outcome *outcome)
{
	if (*stepping)
		event((struct event){ .type = AT, .step = pc });
	enum attention heard;
	do
		heard = attend(hand, -1, *stepping ? -1 : 0, running, outcome);
	while (*stepping && heard == READY);
	if (heard == RELEASED)
		*stepping = false;
	if (heard != STOPPED)
		return true;
	outcome->ending = ABORTED;
	return false;
}

static bool fail(struct outcome *outcome, uint32_t step, int error)
{
	event((struct event){ .type = STEP_FAILED, .step = step, .error = error });
	*outcome = (struct outcome){ FAILED, step, error };
	return false;
}

/* A step of its own, with its undo in the ledger before the kernel is asked. */
static bool do_step(struct hand *hand, uint32_t pc, struct outcome *outcome)
{
	const struct step *step = &hand->plan->steps[pc];
	int64_t record = -1;
	uint64_t ns;
	int error = step->undo ? ledger_promise(step, &record) : 0;
	if (error)
		return fail(outcome, pc, error);
	error = hand_perform(hand, step, &ns);
	/* A tolerated error means that the thing was there before: not ours to take back. */
	int unwritten = record >= 0 ? ledger_settle(record, !error) : 0;
	if (unwritten || (error && !step_tolerates(step, error)))
		return fail(outcome, pc, error ? error : unwritten);
	event((struct event){ .type = DONE, .step = pc, .error = error, .ns = ns });
	return true;
}

static int received_descriptor(struct msghdr *message)
{
	int fd = -1;
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof fd);
	return fd;
}

/* What one report of the child means. True while the run goes on. */
static bool take_report(struct hand *hand, const struct event *report, int fd, uint32_t *next, struct outcome *outcome)
{
	switch (report->type) {
	case DONE:
		event(*report);
		*next = report->step + 1;
		return true;
	case REPORT_DESCRIPTOR:
		hand_put(hand, (int)report->value, fd);
		hand->terminal = fd;
		return true;
	case REPORT_LISTENER:
		fd = sys_pidfd_getfd(hand_fd(hand, SLOT_CHILD), report->error);
		if (fd < 0)
			return fail(outcome, *next, errno);
		hand_put(hand, (int)report->value, fd);
		return true;
	case REPORT_EXEC:
		outcome->ending = RUNNING;
		*next = report->step;
		return true;
	case REPORT_AWAIT:
		outcome->ending = LEFT;
		return true;
	case STEP_FAILED:
		return fail(outcome, report->step, report->error);
	}
	return false;
}

/* Asks the child for steps [first, end) and waits. An end of the socket is an exec that succeeded, or a death. */
static bool lead_child(struct hand *hand, uint32_t first, uint32_t end, struct outcome *outcome)
{
	struct run run = { first, end };
	uint32_t next = first;
	uint64_t before = now();
	if (send(hand->sync, &run, sizeof run, MSG_NOSIGNAL) < 0)
		return fail(outcome, first, ESRCH);
	for (;;) {
		struct event reports[REPORTS_MAX];
		char space[CMSG_SPACE(sizeof(int))];
		struct iovec into = { reports, sizeof reports };
		struct msghdr message = { .msg_iov = &into, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };

		enum attention heard = attend(hand, hand->sync, -1, false, outcome);
		if (heard == STOPPED) {
			outcome->ending = ABORTED;
			return false;
		}
		if (heard != READY)
			continue;
		ssize_t got = recvmsg(hand->sync, &message, MSG_CMSG_CLOEXEC);
		if (got <= 0 && outcome->ending != RUNNING)
			return fail(outcome, next, ESRCH);
		if (got <= 0) {
			close(hand->sync);
			hand->sync = -1;
			event((struct event){ .type = RUNS, .step = next, .ns = now() - before });
			return true;
		}
		int fd = received_descriptor(&message);
		for (size_t i = 0; i < (size_t)got / sizeof *reports; i++) {
			if (reports[i].type == REPORT_READY)
				return true;
			if (!take_report(hand, &reports[i], fd, &next, outcome) || outcome->ending == LEFT)
				return outcome->ending == LEFT;
		}
	}
}

static uint32_t end_of_run(const struct plan *plan, uint32_t first)
{
	while (first < plan->count && plan->steps[first].hand == CHILD)
		first++;
	return first;
}

struct outcome host_perform(struct hand *hand, bool stepping)
{
	const struct plan *plan = hand->plan;
	struct outcome outcome = { .ending = ENDED };
	uint32_t pc = 0;
	while (pc < plan->count) {
		bool childs = plan->steps[pc].hand == CHILD, went;
		if (!permitted(hand, &stepping, outcome.ending == RUNNING, pc, &outcome))
			break;
		uint32_t end = childs && !stepping ? end_of_run(plan, pc) : pc + 1;
		went = childs ? lead_child(hand, pc, end, &outcome) : do_step(hand, pc, &outcome);
		if (!went || outcome.ending == LEFT)
			break;
		pc = end;
	}
	events_flush();
	return outcome;
}

void host_kill_child(struct hand *hand)
{
	if (hand->sync >= 0)
		close(hand->sync);
	hand->sync = -1;
	if (hand->child == 0)
		return;
	/* Not reaped yet, so the number is still this process's. */
	kill(hand->child, SIGKILL);
	while (waitpid(hand->child, NULL, 0) < 0 && errno == EINTR)
		;
	hand->child = 0;
}
