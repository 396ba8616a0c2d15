#include "base.h"
#include "supervise.h"
#include "say.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* As shells have it (POSIX, "Exit Status for Commands"): 127 not found, 126 found but not executable. */
int failure_code(const struct step *step, int error)
{
	if (step->kind->code != KIND_EXEC)
		return NOT_RUN;
	return error == ENOENT ? 127 : 126;
}

/* Renamed into place: whoever finds the file finds the whole number. */
int write_status(const char *path, int status)
{
	char temporary[4096], digits[NUMBER_MAX];
	const char *text = number(digits, (uint64_t)(unsigned)status);
	if (strlen(path) + 5 > sizeof temporary)
		return ENAMETOOLONG;
	strcat(strcpy(temporary, path), ".new");
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	bool whole = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int error = close(fd) < 0 ? errno : whole ? 0 : EIO;
	if (!error && rename(temporary, path) < 0)
		error = errno;
	if (error)
		unlink(temporary);
	return error;
}
