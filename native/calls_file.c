/* Kinds on files and directories. Without `dir` a path is the host's own; with it, see resolve.c. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include "say.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int call_open(struct hand *hand, const struct arg *a)
{
	int fd = open_inside(hand, a[0].slot, a[1].text, a[2].number, a[3].number);
	return named(hand, a[4].slot, fd);
}

int call_close(struct hand *hand, const struct arg *a)
{
	if (hand_fd(hand, a[0].slot) < 0)
		return EBADF;
	return hand_put(hand, a[0].slot, -1);
}

static int make_directory(struct hand *hand, int dir_slot, const char *path, mode_t mode)
{
	char name[256];
	int parent = open_parent(hand, dir_slot, path, name);
	if (parent < 0)
		return errno;
	int error = result(mkdirat(parent, name, mode));
	close(parent);
	return error;
}

/* The same, with what is missing above it; a name that is taken must be a directory's (a symlink may lead there). */
int make_directories(struct hand *hand, int dir_slot, const char *path, mode_t mode)
{
	char prefix[4096];
	size_t length = strlen(path), end = 0;
	if (length >= sizeof prefix)
		return ENAMETOOLONG;
	while (end < length) {
		end += strspn(path + end, "/");
		end += strcspn(path + end, "/");
		memcpy(prefix, path, end);
		prefix[end] = 0;
		int error = make_directory(hand, dir_slot, prefix, mode);
		if (!error)
			continue;
		/* Whatever the reason, such as a `..` or a read-only file system: no harm if a directory is there. */
		int there = open_inside(hand, dir_slot, prefix, O_PATH | O_DIRECTORY, 0);
		if (there < 0)
			return error == EEXIST ? errno : error;
		close(there);
	}
	return 0;
}

int call_mkdir(struct hand *hand, const struct arg *a)
{
	mode_t mode = (mode_t)a[2].number;
	int error = make_directory(hand, a[0].slot, a[1].text, mode);
	return error && a[3].number ? make_directories(hand, a[0].slot, a[1].text, mode) : error;
}

/* An empty path is what the descriptor itself is: a file that an earlier step, maybe the host hand's, has opened for writing. */
static int open_to_write(struct hand *hand, int dir_slot, const char *path, uint64_t flags)
{
	if (dir_slot >= 0 && !*path)
		return fcntl(hand_fd(hand, dir_slot), F_DUPFD_CLOEXEC, 0);
	return open_inside(hand, dir_slot, path, flags | (flags & O_RDWR ? 0 : O_WRONLY), 0644);
}

int call_write(struct hand *hand, const struct arg *a)
{
	int fd = open_to_write(hand, a[0].slot, a[1].text, a[3].number);
	if (fd < 0)
		return errno;
	/* One write: files in /proc and /sys take each write(2) as a whole value. */
	ssize_t written = write(fd, a[2].text, a[2].length);
	int error = written < 0 ? errno : (size_t)written < a[2].length ? EIO : 0;
	if (close(fd) < 0 && !error)
		error = errno;
	return error;
}

int call_symlink(struct hand *hand, const struct arg *a)
{
	char name[256];
	int parent = open_parent(hand, a[0].slot, a[1].text, name);
	if (parent < 0)
		return errno;
	int error = result(symlinkat(a[2].text, parent, name));
	close(parent);
	return error;
}

/* The very node that is wanted may be there already, made by an image or listed twice: fine. Anything else is EEXIST. */
static bool is_node(struct hand *hand, int dir_slot, const char *path, mode_t mode, dev_t device)
{
	struct stat found;
	int fd = open_inside(hand, dir_slot, path, O_PATH | O_NOFOLLOW, 0);
	bool same = fd >= 0 && fstat(fd, &found) == 0 && (found.st_mode & S_IFMT) == (mode & S_IFMT) &&
		    found.st_rdev == device;
	if (fd >= 0)
		close(fd);
	return same;
}

int call_mknod(struct hand *hand, const struct arg *a)
{
	char name[256];
	int parent = open_parent(hand, a[0].slot, a[1].text, name);
	if (parent < 0)
		return errno;
	dev_t device = makedev((unsigned)a[3].number, (unsigned)a[4].number);
	int error = result(mknodat(parent, name, (mode_t)a[2].number, device));
	close(parent);
	return error == EEXIST && is_node(hand, a[0].slot, a[1].text, (mode_t)a[2].number, device) ? 0 : error;
}

int call_chown(struct hand *hand, const struct arg *a)
{
	int fd = open_inside(hand, a[0].slot, a[1].text, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno;
	int error = result(syscall(SYS_fchownat, fd, "", (uid_t)a[2].number, (gid_t)a[3].number, AT_EMPTY_PATH));
	close(fd);
	return error;
}

/* What somebody put at a path is believed only after a look: a masking /dev/null must be the kernel's null device. */
int call_verify(struct hand *hand, const struct arg *a)
{
	struct stat found;
	int place = open_place(hand, a[0].slot, a[1].text);
	if (place < 0)
		return errno;
	int error = result(fstat(place, &found));
	close(place);
	if (error)
		return error;
	bool same = (found.st_mode & S_IFMT) == a[2].number &&
		    found.st_rdev == makedev((unsigned)a[3].number, (unsigned)a[4].number);
	return same ? 0 : ENXIO;
}
