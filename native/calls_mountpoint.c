/*
 * The name to mount on. mount(2) wants a directory for a directory and a file for a file, and an image may have a symlink
 * in that place which leads nowhere yet, such as /etc/resolv.conf -> ../run/…/stub-resolv.conf.
 */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { LINKS_MAX = 40, PATH_SIZE = 4096 }; /* as the kernel itself counts (path_resolution(7)) */

static bool exists(struct hand *hand, int dir_slot, const char *path)
{
	int fd = open_inside(hand, dir_slot, path, O_PATH, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The length of what a symlink says, or -1 if the path's last name is none. */
static ssize_t read_link(struct hand *hand, int dir_slot, const char *path, char *into, size_t size)
{
	int fd = open_inside(hand, dir_slot, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return -1;
	ssize_t length = syscall(SYS_readlinkat, fd, "", into, size);
	close_parent(fd);
	return length;
}

/* Replaces the first symlink of the path that leads nowhere by what it says. */
static int follow_dangling(struct hand *hand, int dir_slot, char path[PATH_SIZE])
{
	char prefix[PATH_SIZE], link[PATH_SIZE];
	size_t parent = 0, end = 0, length = strlen(path);
	while (end < length) {
		end += strspn(path + end, "/");
		parent = end;
		end += strcspn(path + end, "/");
		memcpy(prefix, path, end);
		prefix[end] = 0;
		ssize_t says = read_link(hand, dir_slot, prefix, link, sizeof link);
		if (says <= 0 || exists(hand, dir_slot, prefix))
			continue;
		size_t kept = link[0] == '/' ? 0 : parent, rest = length - end;
		if (kept + (size_t)says + rest >= PATH_SIZE)
			return ENAMETOOLONG;
		memcpy(prefix, path + end, rest);
		memcpy(path + kept, link, (size_t)says);
		memcpy(path + kept + says, prefix, rest);
		path[kept + (size_t)says + rest] = 0;
		return 0;
	}
	return ENOENT;
}

/* O_EXCL goes through no symlink and opens nothing that is there: a fifo would make us wait. */
static int make_file(struct hand *hand, int dir_slot, const char *path)
{
	char parent[PATH_SIZE];
	size_t cut = strlen(path);
	while (cut > 0 && path[cut - 1] != '/')
		cut--;
	memcpy(parent, path, cut);
	parent[cut] = 0;
	int error = cut > 1 ? make_directories(hand, dir_slot, parent, 0755) : 0;
	if (error)
		return error;
	int fd = open_inside(hand, dir_slot, path, O_CREAT | O_EXCL | O_WRONLY, 0644);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int call_mountpoint(struct hand *hand, const struct arg *a)
{
	char path[PATH_SIZE];
	struct stat like;
	bool file = a[2].number;
	if (strlen(a[1].text) >= sizeof path)
		return ENAMETOOLONG;
	strcpy(path, a[1].text);
	if (a[3].slot >= 0) {
		if (fstat(hand_fd(hand, a[3].slot), &like) < 0)
			return errno;
		file = !S_ISDIR(like.st_mode);
	}
	for (int links = 0; links < LINKS_MAX; links++) {
		/* Whatever is there: if it is of the wrong sort, the mount itself will say so. */
		if (exists(hand, a[0].slot, path))
			return 0;
		int error = errno != ENOENT ? errno
			    : file      ? make_file(hand, a[0].slot, path)
					: make_directories(hand, a[0].slot, path, 0755);
		if (error != ENOENT && error != EEXIST)
			return error;
		error = follow_dangling(hand, a[0].slot, path);
		if (error)
			return error;
	}
	return ELOOP;
}
