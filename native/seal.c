/*
 * A container that gets hold of /proc/<pid>/exe of a process that joins it could write to the launcher's file, and
 * so run as root on the host (CVE-2019-5736). So the launcher runs from a copy in memory that nobody can change.
 */
#include "base.h"
#include "seal.h"
#include "kernel.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int copy_sealed(int self)
{
	struct stat status;
	/* MFD_EXEC says that it is meant to be run (sysctl vm.memfd_noexec); kernels before 6.3 don't know the flag. */
	int copy = (int)syscall(SYS_memfd_create, "tslab-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (copy < 0 && errno == EINVAL)
		copy = (int)syscall(SYS_memfd_create, "tslab-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy < 0 || fstat(self, &status) < 0)
		return -1;
	for (off_t left = status.st_size; left > 0;) {
		ssize_t sent = sendfile(copy, self, NULL, (size_t)left);
		if (sent <= 0)
			return -1;
		left -= sent;
	}
	return fcntl(copy, F_ADD_SEALS, SEALS) < 0 ? -1 : copy;
}

int seal_self(char **argv)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return errno;
	/* EINVAL, and so -1, for what is not a memfd. */
	int seals = fcntl(self, F_GET_SEALS);
	if (seals >= 0 && (seals & SEALS) == SEALS) {
		close(self);
		return 0;
	}
	int copy = copy_sealed(self);
	if (copy < 0)
		return errno;
	syscall(SYS_execveat, copy, "", argv, environ, 0x1000 /* AT_EMPTY_PATH */);
	return errno;
}

void fill_standard_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* Until its exec the child is in the container, and an init stays: nobody there may read the asker's environment. */
void forget_environment(void)
{
	for (char **variable = environ; variable && *variable; variable++) {
		memset(*variable, 0, strlen(*variable));
		*variable = NULL;
	}
}

static void close_between(unsigned first, unsigned last)
{
	if (first <= last)
		sys_close_range(first, last, 0);
}

/* Ends of the asker's pipes, mostly: kept open here, they would never reach their end for anybody. */
void close_inherited(int control, int pass)
{
	unsigned first = 3 + (unsigned)pass;
	if (pass > 0)
		sys_close_range(3, first - 1, CLOSE_RANGE_CLOEXEC); /* until the program's exec (prepare_exec) */
	if (control >= 0) {
		close_between(first, (unsigned)control - 1);
		fcntl(control, F_SETFD, FD_CLOEXEC);
		first = (unsigned)control + 1;
	}
	close_between(first, ~0U);
}

/* The program has them now, and alone decides when they are closed. */
void close_passed(int pass)
{
	if (pass > 0)
		close_between(3, 2 + (unsigned)pass);
}
