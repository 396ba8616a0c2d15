/* The clone step: from here on there are two hands. */
#include "base.h"
#include "calls.h"
#include "control.h"
#include "kernel.h"
#include "ledger.h"
#include "procfs.h"
#include "say.h"
#include "share.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>

static _Noreturn void live(struct hand *hand, int sync)
{
	/* If the launcher is killed, so is everything that it alone would have undone. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	control_close();
	ledger_forget();
	signals_close();
	share_forget();
	hand->sync = sync;
	child_perform(hand);
}

/* What is written there sets ids and labels: it has to be the kernel that reads it, not whoever mounted something on /proc. */
static int open_proc(pid_t pid)
{
	char path[32] = "/proc/", digits[NUMBER_MAX];
	struct statfs found;
	int proc = open(strcat(path, number(digits, (uint64_t)pid)), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc >= 0 && (syscall(SYS_fstatfs, proc, &found) < 0 || found.f_type != PROC_SUPER_MAGIC)) {
		close(proc);
		proc = -1;
	}
	return proc;
}

static int register_child(struct hand *hand, int pidfd)
{
	uint64_t started;
	hand_put(hand, SLOT_CHILD, pidfd);
	hand_put(hand, SLOT_PROC, open_proc(hand->child));
	int error = process_started(hand->child, &started);
	if (!error)
		error = ledger_child(hand->child, started);
	event((struct event){ .type = BORN, .value = (uint32_t)hand->child });
	return error;
}

int call_clone(struct hand *hand, const struct arg *a)
{
	int pair[2], pidfd = -1;
	struct clone3_args args = {
		.flags = CLONE_PIDFD | a[0].number,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	if (!only_namespaces(a[0].number))
		return EINVAL;
	if (a[1].slot >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)(int64_t)hand_fd(hand, a[1].slot);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	long pid = sys_clone3(&args);
	int error = result(pid);
	if (pid == 0) {
		close(pair[0]);
		live(hand, pair[1]);
	}
	close(pair[1]);
	if (error) {
		close(pair[0]);
		return error;
	}
	hand->sync = pair[0];
	hand->child = (pid_t)pid;
	return register_child(hand, pidfd);
}
