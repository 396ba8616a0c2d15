/* Kinds on when, where and as what the process runs: its scheduling, its place on a big machine, its keyring. */
#include "base.h"
#include "calls.h"
#include <sys/syscall.h>

int call_personality(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(syscall(SYS_personality, a[0].number));
}

/* struct sched_attr of Linux 5.3; kernels that know only its first 48 bytes want the rest to be zero (sched_setattr(2)). */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
enum { CLAMP_MIN = 0x20, CLAMP_MAX = 0x40, FULL_CAPACITY = 1024 };

int call_schedattr(struct hand *hand, const struct arg *a)
{
	struct scheduling attributes = {
		.size = sizeof attributes,
		.policy = (uint32_t)a[0].number,
		.flags = a[1].number,
		.nice = (int32_t)a[2].number,
		.priority = (uint32_t)a[3].number,
		.runtime = a[4].number,
		.deadline = a[5].number,
		.period = a[6].number,
		.util_max = a[1].number & CLAMP_MAX ? FULL_CAPACITY : 0,
	};
	(void)hand;
	return result(syscall(SYS_sched_setattr, 0, &attributes, 0));
}

/* Of the whole process group, which after setsid is this process and all that it starts (ioprio_set(2)). */
int call_ioprio(struct hand *hand, const struct arg *a)
{
	enum { IOPRIO_WHO_PGRP = 2, CLASS_SHIFT = 13 };
	(void)hand;
	return result(syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, 0, a[0].number << CLASS_SHIFT | a[1].number));
}

int call_affinity(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(syscall(SYS_sched_setaffinity, 0, a[0].length, a[0].text));
}

/* maxnode counts one more than there are bits, and the kernel reads whole words (set_mempolicy(2)). */
int call_mempolicy(struct hand *hand, const struct arg *a)
{
	(void)hand;
	if (a[2].length % sizeof(uint64_t))
		return EINVAL;
	return result(syscall(SYS_set_mempolicy, (int)(a[0].number | a[1].number), a[2].length ? a[2].text : NULL,
			      a[2].length ? a[2].length * 8 + 1 : 0));
}

/* A new one, and without a name: a name could be another container's, or one that it has prepared for us (keyctl(2)). */
int call_keyring(struct hand *hand, const struct arg *a)
{
	enum { KEYCTL_JOIN_SESSION_KEYRING = 1 };
	(void)hand, (void)a;
	return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}
