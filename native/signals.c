/* Signals arrive as data (signalfd(2)), so that one poll waits for everything and no handler interrupts a step. */
#include "base.h"
#include "control.h"
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fd = -1;

/* Bit n - 1 for signal n, as in the kernel; the rest of glibc's type is room to grow. */
sigset_t signal_set(uint64_t bits)
{
	sigset_t set = { 0 };
	memcpy(&set, &bits, sizeof bits);
	return set;
}

/* Not sigaction(3), which keeps two real-time signals for glibc's threads: an ignored one would be inherited. */
void default_action(int signal)
{
	uint64_t kernel_sigaction[4] = { 0 }; /* SIG_DFL, no flags, no restorer, empty mask */
	syscall(SYS_rt_sigaction, signal, kernel_sigaction, NULL, 8);
}

void signals_open(void)
{
	uint64_t all = ~0ULL;
	/* Stopping is the shell's business with the whole job; faults must stay fatal. */
	int ours_not[] = { SIGTSTP, SIGTTIN, SIGCONT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
	for (size_t i = 0; i < sizeof ours_not / sizeof *ours_not; i++)
		all &= ~(1ULL << (ours_not[i] - 1));
	sigset_t set = signal_set(all);
	sigprocmask(SIG_SETMASK, &set, NULL);
	/* Inherited SIG_IGN for SIGCHLD would have the kernel reap children before we see their status (wait(2)). */
	default_action(SIGCHLD);
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
