/* A user namespace that nobody lives in: its id maps are all that is wanted of it, for an id-mapped mount (mount_setattr(2)). */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include "say.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* A map has to come in one write(2) (user_namespaces(7)). */
static int write_map(int proc, const char *name, const char *text, size_t length)
{
	int fd = (int)syscall(SYS_openat, proc, name, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	ssize_t written = write(fd, text, length);
	int error = written < 0 ? errno : (size_t)written < length ? EIO : 0;
	close(fd);
	return error;
}

static int map_and_open(struct hand *hand, pid_t pid, const struct arg *a)
{
	char path[32] = "/proc/", digits[NUMBER_MAX];
	int proc = open(strcat(path, number(digits, (uint64_t)pid)), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return errno;
	int error = write_map(proc, "uid_map", a[0].text, a[0].length);
	if (!error)
		error = write_map(proc, "gid_map", a[1].text, a[1].length);
	if (!error)
		error = named(hand, a[2].slot, (int)syscall(SYS_openat, proc, "ns/user", O_RDONLY | O_CLOEXEC, 0));
	close(proc);
	return error;
}

/* Only a process can have a namespace made (clone(2)); one that waits for the end of a socket does, and says nothing when it ends. */
int call_userns(struct hand *hand, const struct arg *a)
{
	int pair[2];
	struct clone3_args args = { .flags = CLONE_NEWUSER };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	long pid = sys_clone3(&args);
	int error = result(pid);
	if (pid == 0) {
		char byte;
		close(pair[0]);
		while (read(pair[1], &byte, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	close(pair[1]);
	if (!error)
		error = map_and_open(hand, (pid_t)pid, a);
	close(pair[0]);
	/* Made without an exit signal, so that nobody takes its end for the container's. */
	while (pid > 0 && waitpid((pid_t)pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return error;
}
