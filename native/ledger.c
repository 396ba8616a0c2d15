/*
 * What the host has done and how it is taken back. A record is written before its step and settled after it, so
 * whenever the launcher dies, the file knows at least as much as has happened.
 */
#include "base.h"
#include "ledger.h"
#include "ledger_file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int fd = -1;
static const char *file;

/* The lock says "my launcher lives". A file removed before it was locked is one that a cleaner took: make another. */
static int open_locked(const char *path)
{
	struct stat status;
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &status) < 0)
			return errno;
		if (status.st_nlink > 0)
			return status.st_size > 0 ? EEXIST : 0;
		close(fd);
	}
}

/* With whose it is: two launchers may have been given the same name for it, and only one of them has made it. */
static int begin(void)
{
	struct { char magic[8]; struct record_head head; uint32_t pid; } first = {
		.head = { .length = sizeof first.head + sizeof first.pid, .state = THE_LAUNCHER },
		.pid = (uint32_t)getpid(),
	};
	_Static_assert(sizeof first == 20, "native/README.md");
	memcpy(first.magic, LEDGER_MAGIC, sizeof first.magic);
	return write(fd, &first, sizeof first) == sizeof first ? 0 : errno ? errno : EIO;
}

int ledger_open(const char *path)
{
	if (!path)
		return 0;
	int error = open_locked(path);
	if (error)
		return error;
	file = path;
	return begin();
}

void ledger_forget(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
}

/* Without a file it is made when the first undo needs it: most plans without one have none. */
static int in_memory(void)
{
	fd = (int)syscall(SYS_memfd_create, "ledger", MFD_CLOEXEC);
	return fd < 0 ? errno : begin();
}

static int append(char state, const void *body, size_t length, int64_t *record)
{
	struct record_head head = { .length = (uint32_t)(sizeof head + length), .state = state };
	struct iovec parts[] = { { &head, sizeof head }, { (void *)body, length } };
	int error = fd < 0 ? in_memory() : 0;
	if (error)
		return error;
	*record = lseek(fd, 0, SEEK_END);
	ssize_t written = writev(fd, parts, 2);
	if (written == (ssize_t)head.length)
		return 0;
	error = written < 0 ? errno : ENOSPC;
	/* A torn record would hide those after it. */
	return ftruncate(fd, *record) < 0 ? errno : error;
}

int ledger_promise(const struct step *step, int64_t *record)
{
	return append(PROMISED, step->undo, step->undo_length, record);
}

int ledger_settle(int64_t record, bool done)
{
	return record_mark(fd, record, done ? SETTLED : VOID);
}

int ledger_child(pid_t pid, uint64_t started)
{
	struct child_body body = { .pid = (uint32_t)pid, .started = started };
	int64_t record;
	return file ? append(THE_CHILD, &body, sizeof body, &record) : 0;
}

int ledger_play(void)
{
	int error = fd < 0 ? 0 : ledger_play_file(fd);
	/* Removed while still locked: nobody takes it for an orphan. */
	if (!error && file && unlink(file) < 0 && errno != ENOENT)
		error = errno;
	ledger_forget();
	return error;
}

int ledger_recover(const char *path)
{
	struct timespec moment = { .tv_nsec = 20000000 };
	struct stat status;
	file = path;
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno;
	/* A launcher that was killed a moment ago may not have let go yet, so ask more than once. */
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (errno != EWOULDBLOCK || tries == 10)
			return errno;
		nanosleep(&moment, NULL);
	}
	/* Who had it locked has played it, and removed it. */
	return fstat(fd, &status) < 0 ? errno : status.st_nlink == 0 ? ENOENT : ledger_play();
}
