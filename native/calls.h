/* One function a kind, in the order of the table (kinds.c). Each returns 0 or an errno. */
#pragma once
#include "hand.h"
#include <errno.h>
#include <unistd.h>

#define CALL(name) int call_##name(struct hand *, const struct arg *)
CALL(clone); CALL(unshare); CALL(pidfd); CALL(setns); CALL(signal); CALL(await); CALL(lookup);
CALL(open); CALL(close); CALL(mkdir); CALL(write); CALL(writepid); CALL(symlink); CALL(mknod);
CALL(rmdir); CALL(unlink); CALL(rmtree);
CALL(mount); CALL(umount); CALL(pivot_root); CALL(chroot); CALL(chdir);
CALL(sethostname); CALL(setdomainname); CALL(netlink);
CALL(setsid); CALL(openpts); CALL(winsize); CALL(handover); CALL(ctty);
CALL(rlimit); CALL(setgroups); CALL(setgid); CALL(setuid);
CALL(capbset); CALL(capset); CALL(capambient); CALL(prctl); CALL(umask);
CALL(init); CALL(exec);
#undef CALL

/* What a system call returned, as a step's result. */
static inline int result(long returned)
{
	return returned < 0 ? errno : 0;
}

/* resolve.c: paths that, given a directory, are resolved inside it and can't leave it. All return a descriptor or -1. */
int open_inside(struct hand *, int dir_slot, const char *path, uint64_t flags, uint64_t mode);
int open_parent(struct hand *, int dir_slot, const char *path, char name[256]);
void close_parent(int fd);
enum { FD_PATH_MAX = 32 };
const char *fd_path(char buffer[FD_PATH_MAX], int fd); /* /proc/self/fd/N */

bool only_namespaces(uint64_t clone_flags);
