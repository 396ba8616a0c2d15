/* Kinds on a process that is already there: its namespaces, a signal to it. Birth itself is in birth.c. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include "procfs.h"
#include <sched.h>

static const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
				   CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;

bool only_namespaces(uint64_t flags)
{
	return (flags & ~namespaces) == 0;
}

int call_unshare(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return only_namespaces(a[0].number) ? result(unshare((int)a[0].number)) : EINVAL;
}

/* A pid may have been given to another process since the plan was made; its start time tells (proc_pid_stat(5)). */
int call_pidfd(struct hand *hand, const struct arg *a)
{
	uint64_t started;
	int fd = sys_pidfd_open((int)a[0].number);
	if (fd < 0)
		return named(hand, a[2].slot, fd);
	/* In this order: the descriptor holds the process, so what /proc says next is about it or nobody. */
	int error = process_started((int)a[0].number, &started);
	if (error || started != a[1].number) {
		close(fd);
		hand_put(hand, a[2].slot, -1);
		return ESRCH;
	}
	return hand_put(hand, a[2].slot, fd);
}

int call_setns(struct hand *hand, const struct arg *a)
{
	return result(setns(hand_fd(hand, a[0].slot), (int)a[1].number));
}

/* By descriptor: a signal never reaches who got the number later (pidfd_send_signal(2)). */
int call_signal(struct hand *hand, const struct arg *a)
{
	return result(sys_pidfd_send_signal(hand_fd(hand, a[0].slot), (int)a[1].number));
}
