#include "base.h"
#include "say.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

char *number(char buffer[NUMBER_MAX], uint64_t value)
{
	char *at = buffer + NUMBER_MAX - 1;
	*at = 0;
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	return at;
}

void say(const char *first, ...)
{
	char line[512] = "launch: ";
	size_t used = strlen(line);
	va_list pieces;
	va_start(pieces, first);
	for (const char *piece = first; piece; piece = va_arg(pieces, const char *)) {
		size_t length = strnlen(piece, sizeof line - 1 - used);
		/* A plan's strings may hold what would steer the reader's terminal. */
		for (; length > 0; length--, piece++)
			line[used++] = (unsigned char)*piece < ' ' || *piece == 127 ? '?' : *piece;
	}
	va_end(pieces);
	line[used++] = '\n';
	/* One write, so that lines of two launchers don't mix; if it can't be said there is nobody to tell. */
	if (write(2, line, used) < 0)
		return;
}

/* Those that the calls of kinds.c are known to return; any other is a number to look up in errno(3). */
static const struct { int error; const char *name, *text; } errors[] = {
#define E(name, text) { name, #name, text }
	E(EPERM, "operation not permitted"), E(ENOENT, "no such file or directory"), E(ESRCH, "no such process"),
	E(EINTR, "interrupted"), E(EIO, "input/output error"), E(ENXIO, "no such device or address"),
	E(E2BIG, "argument list too long"), E(ENOEXEC, "exec format error"), E(EBADF, "bad file descriptor"),
	E(ECHILD, "no child processes"), E(EAGAIN, "resource temporarily unavailable"), E(ENOMEM, "out of memory"),
	E(EACCES, "permission denied"), E(EFAULT, "bad address"), E(EBUSY, "device or resource busy"),
	E(EEXIST, "file exists"), E(EXDEV, "crosses into another mount"), E(ENODEV, "no such device"),
	E(ENOTDIR, "not a directory"), E(EISDIR, "is a directory"), E(EINVAL, "invalid argument"),
	E(ENFILE, "too many open files in system"), E(EMFILE, "too many open files"), E(ENOTTY, "not a terminal"),
	E(ETXTBSY, "text file busy"), E(EFBIG, "file too large"), E(ENOSPC, "no space left on device"),
	E(EROFS, "read-only file system"), E(EMLINK, "too many links"), E(EPIPE, "broken pipe"),
	E(ERANGE, "result out of range"), E(ENAMETOOLONG, "file name too long"), E(ENOSYS, "not in this kernel"),
	E(ENOTEMPTY, "directory not empty"), E(ELOOP, "too many levels of symbolic links"),
	E(EOVERFLOW, "value too large"), E(EUSERS, "too many users"), E(EOPNOTSUPP, "operation not supported"),
	E(EADDRINUSE, "address already in use"), E(EADDRNOTAVAIL, "cannot assign requested address"),
	E(ENETDOWN, "network is down"), E(ENETUNREACH, "network is unreachable"), E(ENOBUFS, "no buffer space"),
	E(ETIMEDOUT, "timed out"), E(EALREADY, "operation already in progress"), E(EDQUOT, "disk quota exceeded"),
	E(EMSGSIZE, "message too long"), E(ENODATA, "no data available"), E(ESTALE, "stale file handle"),
	E(ECANCELED, "the program did not succeed"),
#undef E
};

const char *error_name(int error)
{
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].error == error)
			return errors[i].name;
	static char digits[NUMBER_MAX];
	return number(digits, (uint64_t)error);
}

const char *error_text(int error)
{
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].error == error)
			return errors[i].text;
	return "unknown error";
}
