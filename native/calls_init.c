/*
 * The init step: a process that reaps, under the program. PID 1 of a namespace gets every orphan, and signals
 * whose default would end it don't reach it (pid_namespaces(7)): programs that don't expect that get an init.
 */
#include "base.h"
#include "calls.h"
#include "control.h"
#include "kernel.h"
#include <sys/prctl.h>
#include <sys/wait.h>

static void reap(pid_t program)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == program)
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* A terminal's Ctrl-C goes to its whole foreground group: the program has had it already if it is in ours. */
static bool had_it_too(const siginfo_t *info, pid_t program)
{
	return info->si_code == SI_KERNEL && getpgid(program) == getpgrp();
}

static _Noreturn void be_init(struct hand *hand, pid_t program)
{
	sigset_t all = signal_set(~0ULL);
	siginfo_t info;
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (!hand->left)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "tslab-init");
	if (child_is_orphan(hand))
		_exit(1);
	/* The socket too: its end is how the host hand learns of the exec. */
	sys_close_range(3, ~0U, 0);
	plan_free((struct plan *)hand->plan);
	for (;;) {
		int signal = sigwaitinfo(&all, &info);
		if (signal == SIGCHLD)
			reap(program);
		else if (signal > 0 && signal != SIGTTIN && signal != SIGTTOU && !had_it_too(&info, program))
			kill(program, signal);
	}
}

int call_init(struct hand *hand, const struct arg *a)
{
	(void)a;
	pid_t program = fork();
	if (program < 0)
		return errno;
	if (program > 0)
		be_init(hand, program);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A terminal that init has: the program leads its foreground, so that job control works as under a shell. */
	if (tcgetpgrp(0) == getpgrp() && setpgid(0, 0) == 0)
		tcsetpgrp(0, getpid());
	return 0;
}
