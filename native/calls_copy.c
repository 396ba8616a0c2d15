/*
 * copytree: what a directory holds, once more in another. Both are held by descriptor; what lies between is walked name by
 * name and never through a symlink, as it comes from an image.
 */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 128 };

static int open_in(int dir, const char *name, int flags, mode_t mode)
{
	return (int)syscall(SYS_openat, dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

/* Owner first: chown(2) clears the set-user-ID bit. An owner without a number in this user namespace can't be given: EINVAL. */
static int copy_owner(int to, const char *name, const struct stat *of)
{
	int flags = AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH);
	int error = result(syscall(SYS_fchownat, to, name, of->st_uid, of->st_gid, flags));
	return error == EINVAL ? 0 : error;
}

static int copy_attributes(int to, const struct stat *of)
{
	int error = copy_owner(to, "", of);
	return error ? error : result(syscall(SYS_fchmod, to, of->st_mode & 07777));
}

static int copy_bytes(int from, int to)
{
	ssize_t sent;
	do
		sent = sendfile(to, from, NULL, 1 << 20);
	while (sent > 0 || (sent < 0 && errno == EINTR));
	return result(sent);
}

static int copy_file(int from, int to, const char *name, const struct stat *of)
{
	int in = open_in(from, name, O_RDONLY | O_NONBLOCK, 0);
	if (in < 0)
		return errno;
	int out = open_in(to, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int error = out < 0 ? errno : copy_bytes(in, out);
	if (!error)
		error = copy_attributes(out, of);
	close(in);
	if (out >= 0)
		close(out);
	return error;
}

static int copy_link(int from, int to, const char *name, const struct stat *of)
{
	char target[4096];
	ssize_t length = syscall(SYS_readlinkat, from, name, target, sizeof target - 1);
	if (length < 0)
		return errno;
	target[length] = 0;
	return symlinkat(target, to, name) < 0 ? errno : copy_owner(to, name, of);
}

static int copy_special(int to, const char *name, const struct stat *of)
{
	return mknodat(to, name, of->st_mode, of->st_rdev) < 0 ? errno : copy_owner(to, name, of);
}

static int copy_entries(int from, int to, int depth);

static int copy_directory(int from, int to, const char *name, const struct stat *of, int depth)
{
	if (depth == 0)
		return ELOOP;
	int in = open_in(from, name, O_RDONLY | O_DIRECTORY, 0);
	if (in < 0)
		return errno;
	int out = mkdirat(to, name, 0700) < 0 ? -1 : open_in(to, name, O_RDONLY | O_DIRECTORY, 0);
	int error = out < 0 ? errno : copy_entries(in, out, depth - 1);
	if (!error)
		error = copy_attributes(out, of);
	close(in);
	if (out >= 0)
		close(out);
	return error;
}

static int copy_entry(int from, int to, const char *name, int depth)
{
	struct stat of;
	int fd = open_in(from, name, O_PATH, 0);
	if (fd < 0)
		return errno;
	int error = result(fstat(fd, &of));
	close(fd);
	if (error)
		return error;
	switch (of.st_mode & S_IFMT) {
	case S_IFREG: return copy_file(from, to, name, &of);
	case S_IFDIR: return copy_directory(from, to, name, &of, depth);
	case S_IFLNK: return copy_link(from, to, name, &of);
	default: return copy_special(to, name, &of);
	}
}

static int copy_entries(int from, int to, int depth)
{
	char buffer[2048] __attribute__((aligned(8)));
	long got;
	while ((got = syscall(SYS_getdents64, from, buffer, sizeof buffer)) > 0)
		for (long at = 0; at < got;) {
			struct entry *entry = (struct entry *)(buffer + at);
			at += entry->size;
			if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
				continue;
			int error = copy_entry(from, to, entry->name, depth);
			if (error)
				return error;
		}
	return result(got);
}

int call_copytree(struct hand *hand, const struct arg *a)
{
	struct stat of;
	int from = hand_fd(hand, a[0].slot), to = hand_fd(hand, a[1].slot);
	if (fstat(from, &of) < 0)
		return errno;
	int error = copy_entries(from, to, DEPTH_MAX);
	return error || !a[2].number ? error : copy_attributes(to, &of);
}
