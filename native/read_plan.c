/* A plan comes from a file, a socket or standard input: the same bytes, which say themselves how many they are. */
#include "base.h"
#include "read_plan.h"
#include "control.h"
#include "say.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Exactly that many, so that a command behind the plan stays in its socket. EBADMSG when there are fewer. */
static int read_exactly(int fd, uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t got = read(fd, bytes, size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : EBADMSG;
		bytes += got;
		size -= (size_t)got;
	}
	return 0;
}

static int read_and_decode(int fd, struct plan *plan)
{
	uint8_t head[PLAN_HEAD], *bytes;
	struct arena raw;
	*plan = (struct plan){ 0 };
	int error = read_exactly(fd, head, sizeof head);
	if (error)
		return error;
	uint32_t length = head[8] | head[9] << 8 | head[10] << 16 | (uint32_t)head[11] << 24;
	plan->bad = memcmp(head, PLAN_MAGIC, 8) == 0 ? 8 : 0;
	if (plan->bad == 0 || length < PLAN_HEAD || length > PLAN_MAX)
		return EBADMSG;
	error = arena_new(&raw, length + (size_t)16);
	if (error)
		return error;
	bytes = arena_take(&raw, length);
	memcpy(bytes, head, sizeof head);
	error = read_exactly(fd, bytes + sizeof head, length - sizeof head);
	if (!error)
		error = plan_decode(plan, bytes, length);
	plan->bytes = raw;
	return error == EINVAL ? EBADMSG : error;
}

static void refuse(const struct plan *plan)
{
	char digits[NUMBER_MAX];
	if (control_fd() < 0)
		say("plan refused at byte ", number(digits, plan->bad), NULL);
	event((struct event){ .type = REFUSED, .value = plan->bad });
	events_flush();
}

int read_plan(const struct options *options, struct plan *plan)
{
	int fd = options->control, error;
	if (fd >= 0)
		control_open(fd);
	if (options->plan)
		fd = open(options->plan, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	error = read_and_decode(fd, plan);
	if (options->plan)
		close(fd);
	if (error == EBADMSG)
		refuse(plan);
	return error;
}

int check_plan(void)
{
	struct plan plan;
	uint8_t more;
	int error = read_and_decode(0, &plan);
	if (!error && read(0, &more, 1) != 0)
		error = EBADMSG;
	if (error == EBADMSG)
		refuse(&plan);
	else if (error)
		say("plan: ", error_text(error), NULL);
	return error ? 125 : 0;
}
