/* The child hand: does the runs of steps that the host hand asks for, until one of them is exec. */
#include "base.h"
#include "hand.h"
#include "control.h"
#include "say.h"
#include "supervise.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct event reports[REPORTS_MAX];
static size_t count;

static void flush_reports(struct hand *hand)
{
	/* write and read, not send and recv: a filter that a step has loaded hardly ever forbids these two. */
	ssize_t written = count ? write(hand->sync, reports, count * sizeof *reports) : 0;
	/* Nobody to report to: the launcher is dead, and PR_SET_PDEATHSIG is about to say so. */
	if (written < 0 && (errno == EPIPE || errno == ECONNRESET))
		_exit(1);
	count = 0;
}

static void report(struct hand *hand, struct event one)
{
	reports[count++] = one;
	if (count == REPORTS_MAX)
		flush_reports(hand);
}

void child_report_descriptor(struct hand *hand, int slot)
{
	struct event one = { .type = REPORT_DESCRIPTOR, .value = (uint32_t)slot };
	char space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec from = { &one, sizeof one };
	struct msghdr message = { .msg_iov = &from, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &hand->slots[slot], sizeof(int));
	flush_reports(hand);
	if (sendmsg(hand->sync, &message, MSG_NOSIGNAL) < 0)
		_exit(1);
}

/* By number: the host hand fetches it (pidfd_getfd(2)), since sending it may be what the new filter asks its listener about. */
int child_report_listener(struct hand *hand, int slot, int fd)
{
	report(hand, (struct event){ .type = REPORT_LISTENER, .error = fd, .value = (uint32_t)slot });
	return 0;
}

bool child_is_orphan(const struct hand *hand)
{
	char byte;
	return !hand->left && recv(hand->sync, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Past `await` nobody hears reports: it is told to who said the word, or to standard error, and by the exit status. */
static _Noreturn void end_alone(const struct hand *hand, const struct step *step, int error)
{
	char call[256];
	if (hand->result >= 0)
		dup2(hand->result, 2);
	say(step_text(step, call, sizeof call), ": ", error_text(error), " (", error_name(error), ")", NULL);
	_exit(failure_code(step, error));
}

/* An exec, or a filter that is loaded just before it: from here on nothing may be done that the filter might forbid. */
static bool is_last_word(const struct step *steps, uint32_t i, uint32_t end)
{
	return steps[i].kind->code == KIND_EXEC ||
	       (steps[i].kind->code == KIND_SECCOMP && i + 1 < end && steps[i + 1].kind->code == KIND_EXEC);
}

static void perform_run(struct hand *hand, struct run run)
{
	bool ready = false;
	for (uint32_t i = run.first; i < run.end; i++) {
		const struct step *step = &hand->plan->steps[i];
		uint64_t ns;
		if (!ready && is_last_word(hand->plan->steps, i, run.end)) {
			uint32_t exec = step->kind->code == KIND_EXEC ? i : i + 1;
			prepare_exec(hand, &hand->plan->steps[exec]);
			report(hand, (struct event){ .type = REPORT_EXEC, .step = exec });
			flush_reports(hand);
			ready = true;
		}
		if (step->kind->code == KIND_AWAIT) {
			prctl(PR_SET_PDEATHSIG, 0); /* before the host hand hears of it: it goes at once */
			report(hand, (struct event){ .type = REPORT_AWAIT, .step = i });
			flush_reports(hand);
		}
		int error = hand_perform(hand, step, &ns);
		bool failed = error && !step_tolerates(step, error);
		report(hand, (struct event){ .type = failed ? STEP_FAILED : DONE, .step = i, .error = error, .ns = ns });
		if (failed && hand->left)
			end_alone(hand, step, error);
		if (failed) {
			flush_reports(hand);
			return; /* the host hand will kill us */
		}
		if (ready)
			flush_reports(hand); /* exec would take a report that waits along */
	}
	report(hand, (struct event){ .type = REPORT_READY });
	flush_reports(hand);
}

_Noreturn void child_perform(struct hand *hand)
{
	struct run run;
	ssize_t got;
	do {
		got = read(hand->sync, &run, sizeof run);
		if (got == sizeof run)
			perform_run(hand, run);
	} while (got == sizeof run || (got < 0 && errno == EINTR));
	_exit(1);
}
