/* Signals arrive as data (signalfd(2)), so that one poll waits for everything and no handler interrupts a step. */
#include "control.h"
#include <errno.h>
#include <unistd.h>

static int fd = -1;

void signals_open(void)
{
	sigset_t set;
	sigfillset(&set);
	/* Stopping is the shell's business with the whole job; faults must stay fatal. */
	int ours_not[] = { SIGTSTP, SIGTTIN, SIGCONT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
	for (size_t i = 0; i < sizeof ours_not / sizeof *ours_not; i++)
		sigdelset(&set, ours_not[i]);
	sigprocmask(SIG_SETMASK, &set, NULL);
	/* Inherited SIG_IGN for SIGCHLD would have the kernel reap children before we see their status (wait(2)). */
	signal(SIGCHLD, SIG_DFL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_fd(void)
{
	return fd;
}

void signals_close(void)
{
	close(fd);
	fd = -1;
}

bool next_signal(struct signalfd_siginfo *info)
{
	ssize_t got;
	do
		got = read(fd, info, sizeof *info);
	while (got < 0 && errno == EINTR);
	return got == sizeof *info;
}

bool signal_ends(int signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT || signal == SIGKILL;
}
