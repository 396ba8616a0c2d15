/* Between steps and while the child works: who wants something of the host hand. Once it only waits, supervise.c listens. */
#include "base.h"
#include "attend.h"
#include "control.h"
#include <poll.h>

/* Somebody who may stop us: a signal to the launcher, or the asker. */
static enum attention hear(struct hand *hand, bool running, struct outcome *outcome)
{
	struct signalfd_siginfo info;
	struct command command = { 0 };
	while (next_signal(&info))
		if (signal_ends((int)info.ssi_signo)) {
			outcome->error = (int)info.ssi_signo;
			return STOPPED;
		}
	for (;;) {
		int got = next_command(&command);
		if (got == 0)
			return NOTHING;
		if (got < 0)
			return running && hand->detach ? NOTHING : STOPPED;
		if (command.type == ABORT || (command.type == SIGNAL && signal_ends((int)command.value)))
			return STOPPED;
		if (command.type == GO)
			return WENT;
		if (command.type == RUN)
			return RELEASED;
	}
}

enum attention attend(struct hand *hand, int fd, int timeout, bool running, struct outcome *outcome)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = signals_fd(), .events = POLLIN },
			{ .fd = control_fd(), .events = POLLIN },
		};
		if (timeout)
			events_flush();
		if (poll(fds, 3, timeout) == 0)
			return control_lost() && !(running && hand->detach) ? STOPPED : NOTHING;
		/* First: if the exec has succeeded, a signal that came after it is for the program. */
		if (fds[0].revents)
			return READY;
		enum attention heard = hear(hand, running, outcome);
		if (heard != NOTHING)
			return heard;
		if (control_lost() && fd < 0)
			return NOTHING;
	}
}
