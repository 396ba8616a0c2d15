/*
 * Paths inside a directory that somebody else fills. A rootfs may hold a symlink `etc -> /` or be changed while
 * we walk it: the kernel itself resolves each path as if the directory were / (openat2(2), RESOLVE_IN_ROOT).
 */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include "say.h"
#include <fcntl.h>
#include <string.h>

int open_inside(struct hand *hand, int dir_slot, const char *path, uint64_t flags, uint64_t mode)
{
	if (dir_slot < 0)
		return open(path, (int)(flags | O_CLOEXEC), (mode_t)mode);
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0, /* else EINVAL */
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	/* Of the child's /proc directory it is the kernel's own files, not what somebody mounted on one of them. */
	if (dir_slot == SLOT_PROC)
		how.resolve |= RESOLVE_NO_XDEV;
	int fd;
	/* EAGAIN: something was renamed meanwhile, so the kernel can't be sure that `..` stayed inside. */
	for (int tries = 0; tries < 64; tries++) {
		fd = sys_openat2(hand_fd(hand, dir_slot), path, &how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static bool names_an_entry(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/*
 * For calls that make or remove a name: the descriptor of the directory that holds it (AT_FDCWD when the path is
 * plain and relative), and the name. There is no such call that takes RESOLVE_IN_ROOT itself.
 */
int open_parent(struct hand *hand, int dir_slot, const char *path, char name[256])
{
	char parent[4096];
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	size_t cut = length;
	while (cut > 0 && path[cut - 1] != '/')
		cut--;
	if (length - cut > 255 || cut + 2 > sizeof parent) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, path + cut, length - cut);
	name[length - cut] = 0;
	if (!names_an_entry(name)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(parent, path, cut);
	strcpy(parent + cut, cut ? "" : ".");
	return open_inside(hand, dir_slot, parent, O_PATH | O_DIRECTORY, 0);
}

/* Closes without losing the errno of the call that used the descriptor. */
void close_parent(int fd)
{
	int error = errno;
	close(fd);
	errno = error;
}

int open_place(struct hand *hand, int dir_slot, const char *path)
{
	if (dir_slot >= 0 && !*path)
		return fcntl(hand_fd(hand, dir_slot), F_DUPFD_CLOEXEC, 0);
	return open_inside(hand, dir_slot, path, O_PATH, 0);
}
