/* Kinds on limits, ids and capabilities of the process itself. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

int call_rlimit(struct hand *hand, const struct arg *a)
{
	struct rlimit limit = { .rlim_cur = a[1].number, .rlim_max = a[2].number };
	(void)hand;
	return result(syscall(SYS_prlimit64, 0, (int)a[0].number, &limit, NULL));
}

int call_setgroups(struct hand *hand, const struct arg *a)
{
	(void)hand;
	if (a[0].length % sizeof(gid_t))
		return EINVAL;
	return result(syscall(SYS_setgroups, a[0].length / sizeof(gid_t), a[0].text));
}

/* Plain calls and not glibc's: those would go looking for other threads. Real, effective and saved, for good. */
int call_setgid(struct hand *hand, const struct arg *a)
{
	gid_t gid = (gid_t)a[0].number;
	(void)hand;
	return result(syscall(SYS_setresgid, gid, gid, gid));
}

int call_setuid(struct hand *hand, const struct arg *a)
{
	uid_t uid = (uid_t)a[0].number;
	(void)hand;
	return result(syscall(SYS_setresuid, uid, uid, uid));
}

/* The bounding set has no "set": what isn't kept is dropped one by one, up to the last that this kernel knows. */
int call_capbset(struct hand *hand, const struct arg *a)
{
	(void)hand;
	for (unsigned long cap = 0; cap < 64; cap++) {
		int held = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (held < 0)
			break;
		if (held && !(a[0].number >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return errno;
	}
	return 0;
}

int call_capset(struct hand *hand, const struct arg *a)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	(void)hand;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(a[0].number >> 32 * i),
			.permitted = (uint32_t)(a[1].number >> 32 * i),
			.inheritable = (uint32_t)(a[2].number >> 32 * i),
		};
	return result(syscall(SYS_capset, &header, data));
}

int call_capambient(struct hand *hand, const struct arg *a)
{
	(void)hand;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return errno;
	for (unsigned long cap = 0; cap < 64; cap++)
		if (a[0].number >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return errno;
	return 0;
}

int call_prctl(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(prctl((int)a[0].number, (unsigned long)a[1].number, 0, 0, 0));
}

/* What the program will have, and from here on what steps create with; see hand.h. */
int call_umask(struct hand *hand, const struct arg *a)
{
	hand->umask = (mode_t)a[0].number & 0777;
	umask(hand->umask);
	return 0;
}
