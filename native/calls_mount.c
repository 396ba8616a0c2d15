/* Kinds on the mount tree and on where the process stands in it. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

/*
 * mount(2) knows only paths. A target that was resolved inside a directory is handed to it as /proc/self/fd/N,
 * which leads to what was resolved, however the tree has changed since (proc_pid_fd(5)).
 */
int call_mount(struct hand *hand, const struct arg *a)
{
	char source_path[FD_PATH_MAX], target_path[FD_PATH_MAX];
	const char *source = a[0].text, *target = a[3].text;
	int dir_slot = a[2].slot, target_fd = -1;

	if (a[1].slot >= 0 && hand_fd(hand, a[1].slot) < 0)
		return EBADF;
	if (a[1].slot >= 0)
		source = fd_path(source_path, hand_fd(hand, a[1].slot));
	if (dir_slot >= 0) {
		target_fd = open_inside(hand, dir_slot, target, O_PATH, 0);
		if (target_fd < 0)
			return errno;
		target = fd_path(target_path, target_fd);
	}
	int error = result(mount(source, target, a[4].text, a[5].number, a[6].text));
	if (target_fd >= 0)
		close(target_fd);
	return error;
}

/* A descriptor inside a mount keeps it busy, so the path goes by the parent's descriptor, which is outside. */
int call_umount(struct hand *hand, const struct arg *a)
{
	char name[256], path[FD_PATH_MAX + 256];
	if (a[0].slot < 0)
		return result(umount2(a[1].text, (int)a[2].number));
	int parent = open_parent(hand, a[0].slot, a[1].text, name);
	if (parent < 0)
		return errno;
	fd_path(path, parent);
	strcat(strcat(path, "/"), name);
	int error = result(umount2(path, (int)a[2].number | UMOUNT_NOFOLLOW));
	close(parent);
	return error;
}

int call_pivot_root(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(syscall(SYS_pivot_root, a[0].text, a[1].text));
}

int call_chroot(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(chroot(a[0].text));
}

int call_chdir(struct hand *hand, const struct arg *a)
{
	if (a[0].slot < 0)
		return result(chdir(a[1].text));
	int fd = open_inside(hand, a[0].slot, a[1].text, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return errno;
	int error = result(fchdir(fd));
	close(fd);
	return error;
}
