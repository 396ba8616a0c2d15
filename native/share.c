/*
 * Whoever uses a shared thing holds a shared lock for as long as it lives. Who gives up its share and then gets the
 * lock exclusively is the last one, and takes the thing back; a newcomer waits until that is done, then makes it anew.
 */
#include "base.h"
#include "calls.h"
#include "share.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

static int held = -1;
static enum { UNKNOWN, ALONE, AMONG_OTHERS } standing;

static int open_lock(const char *path)
{
	return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static bool same_file(int one, int other)
{
	struct stat a, b;
	return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Taking back lasts as long as its slowest program; whoever locks longer has other things in mind. */
int call_share(struct hand *hand, const struct arg *a)
{
	struct timespec moment = { .tv_nsec = 10000000 };
	int fd = open_lock(a[0].text), error = fd < 0 ? errno : 0;
	(void)hand;
	if (!error && held >= 0)
		error = same_file(fd, held) ? 0 : EINVAL; /* one is all that anybody needs so far */
	else if (!error) {
		for (int tries = 0; flock(fd, LOCK_SH | LOCK_NB) < 0; tries++) {
			error = errno == EWOULDBLOCK && tries == 1000 ? ETIMEDOUT : errno;
			if (error != EWOULDBLOCK)
				break;
			error = 0;
			nanosleep(&moment, NULL);
		}
		if (!error) {
			held = fd;
			return 0;
		}
	}
	if (fd >= 0)
		close(fd);
	return error;
}

/*
 * One answer for all that is taken back by this process. If each undo asked anew, two launchers that end together
 * could each find the other at work, and both leave the same thing behind.
 */
bool share_is_ours_alone(const char *path)
{
	if (standing != UNKNOWN)
		return standing == ALONE;
	share_forget();
	int fd = open_lock(path);
	/* No lock file, no users. */
	standing = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0 ? ALONE : AMONG_OTHERS;
	if (standing == AMONG_OTHERS)
		close(fd);
	return standing == ALONE; /* the lock is kept until this process ends */
}

void share_forget(void)
{
	if (held >= 0)
		close(held);
	held = -1;
}
