#include "base.h"
#include "procfs.h"
#include "say.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_small(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t got = read(fd, buffer, size - 1);
	close(fd);
	if (got >= 0)
		buffer[got] = 0;
	return got;
}

static uint64_t parse(const char **at)
{
	uint64_t value = 0;
	while (**at >= '0' && **at <= '9')
		value = value * 10 + (uint64_t)(*(*at)++ - '0');
	return value;
}

int process_started(int pid, uint64_t *ticks)
{
	char path[48] = "/proc/", digits[NUMBER_MAX], text[1024];
	strcat(strcat(path, number(digits, (uint64_t)pid)), "/stat");
	if (read_small(path, text, sizeof text) < 0)
		return ESRCH;
	/* The second field is a name that may hold blanks and brackets: count from its last bracket. */
	const char *at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return ESRCH;
	at++;
	*ticks = parse(&at);
	return 0;
}

int each_number(const char *path, void (*each)(int))
{
	char text[4096];
	int count = 0;
	if (read_small(path, text, sizeof text) < 0)
		return -1;
	for (const char *at = text; *at;) {
		const char *start = at;
		uint64_t value = parse(&at);
		if (at == start) {
			at++;
			continue;
		}
		/* A number that ends the buffer may be cut: it comes whole when the caller asks again. */
		if (*at == 0 && at == text + sizeof text - 1)
			break;
		each((int)value);
		count++;
	}
	return count;
}
