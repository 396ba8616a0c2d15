#include "base.h"
#include "supervise.h"
#include "control.h"
#include "leftovers.h"
#include "pump.h"
#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything that has ended: the program, and orphans that came to us as their nearest subreaper. */
static bool reap(struct hand *hand, int *status)
{
	int one;
	pid_t pid;
	while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
		if (pid == hand->child) {
			*status = one;
			hand->child = 0;
		}
	return hand->child == 0;
}

/* A terminal's Ctrl-C goes to its whole foreground group: the program has had it already if it is in ours. */
static bool had_it_too(const struct hand *hand, const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_KERNEL && getpgid(hand->child) == getpgrp();
}

static void forward(struct hand *hand, int signal)
{
	if (hand->child > 0 && signal > 0 && signal < NSIG)
		kill(hand->child, signal);
}

static void take_signal(struct hand *hand, const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGCHLD: /* reaped by the loop */
	case SIGPIPE: /* our own */
	case SIGTTOU:
		break;
	case SIGWINCH:
		pump_resize_to_ours();
		break;
	default:
		if (!had_it_too(hand, info))
			forward(hand, (int)info->ssi_signo);
	}
}

static void take_command(struct hand *hand, const struct command *command)
{
	if (command->type == SIGNAL)
		forward(hand, (int)command->value);
	if (command->type == WINSIZE)
		pump_resize(command->value >> 16, command->value & 0xffff);
	if (command->type == ABORT)
		forward(hand, SIGKILL);
}

static void hear(struct hand *hand)
{
	struct signalfd_siginfo info;
	struct command command = { 0 };
	int got;
	while (next_signal(&info))
		take_signal(hand, &info);
	while ((got = next_command(&command)) > 0)
		take_command(hand, &command);
	if (got < 0 && !hand->detach)
		forward(hand, SIGKILL);
}

int supervise(struct hand *hand)
{
	int status = 0;
	bool ended = false;
	/* Who detaches doesn't type: its standard input's end is not the program's. */
	pump_start(hand->terminal, !hand->detach);
	for (;;) {
		struct pollfd fds[2 + PUMP_FDS] = {
			{ .fd = signals_fd(), .events = POLLIN },
			{ .fd = control_fd(), .events = POLLIN },
		};
		hear(hand);
		if (!ended && reap(hand, &status)) {
			ended = true;
			kill_leftovers();
		}
		if (ended && pump_is_dry())
			break;
		int timeout = pump_prepare(fds + 2);
		fds[1].fd = control_fd();
		if (poll(fds, 2 + PUMP_FDS, timeout) > 0)
			pump_move(fds + 2);
	}
	pump_stop();
	return status;
}
