/* One function a kind, in the order of the table (kinds.c). Each returns 0 or an errno. */
#pragma once
#include "hand.h"
#include <errno.h>
#include <unistd.h>

#define CALL(name) int call_##name(struct hand *, const struct arg *)
CALL(clone); CALL(unshare); CALL(pidfd); CALL(setns); CALL(signal); CALL(await); CALL(lookup);
CALL(open); CALL(close); CALL(mkdir); CALL(write); CALL(symlink); CALL(mknod);
CALL(rmdir); CALL(unlink); CALL(rmtree);
CALL(mount); CALL(umount); CALL(pivot_root); CALL(chroot); CALL(chdir);
CALL(open_tree); CALL(mount_setattr); CALL(move_mount); CALL(userns); CALL(verify);
CALL(mountpoint); CALL(mask); CALL(chown); CALL(copytree);
CALL(sethostname); CALL(setdomainname); CALL(netlink); CALL(spawn); CALL(share);
CALL(setsid); CALL(openpts); CALL(winsize); CALL(handover); CALL(ctty);
CALL(rlimit); CALL(setgroups); CALL(setgid); CALL(setuid);
CALL(capbset); CALL(capset); CALL(capambient); CALL(prctl); CALL(umask);
CALL(seccomp); CALL(sendfd);
CALL(personality); CALL(schedattr); CALL(ioprio); CALL(affinity); CALL(mempolicy); CALL(keyring);
CALL(init); CALL(exec);
CALL(bpf);
CALL(fsopen); CALL(fsconfig); CALL(fsmount);
CALL(pidenv); CALL(listen); CALL(ready); CALL(tell);
#undef CALL

/* What a system call returned, as a step's result. */
static inline int result(long returned)
{
	return returned < 0 ? errno : 0;
}

/* resolve.c: paths that, given a directory, are resolved inside it and can't leave it. All return a descriptor or -1. */
int open_inside(struct hand *, int dir_slot, const char *path, uint64_t flags, uint64_t mode);
int open_parent(struct hand *, int dir_slot, const char *path, char name[256]);
int open_place(struct hand *, int dir_slot, const char *path); /* O_PATH; "" means what the descriptor itself is */
void close_parent(int fd);
int make_directories(struct hand *, int dir_slot, const char *path, mode_t mode); /* calls_file.c: 0 or errno */
int mount_on(int place, const char *source, const char *type, unsigned long flags, const char *data); /* calls_mount.c */

/* What opened a descriptor, as a step's result. A name whose opening went wrong means nothing: not what it meant before. */
static inline int named(struct hand *hand, int slot, int fd)
{
	int error = fd < 0 ? errno : 0;
	hand_put(hand, slot, fd);
	return error;
}

bool only_namespaces(uint64_t clone_flags);
