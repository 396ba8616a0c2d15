/* Events to the asker, commands from it. Without an asker both are silent. */
#include "base.h"
#include "control.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


static int asker = -1;
static bool lost;
static struct event waiting[64];
static size_t waiting_count;
static char half[sizeof(struct command)]; /* a command of which only the beginning has come */
static size_t half_used;

void control_open(int fd)
{
	/* An asker that has stopped reading is as good as gone: don't wait for it for ever. */
	struct timeval patience = { .tv_sec = 30 };
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	asker = fd;
}

int control_fd(void)
{
	return asker;
}

bool control_lost(void)
{
	return lost;
}

void control_close(void)
{
	if (asker >= 0)
		close(asker);
	asker = -1;
	waiting_count = 0;
}

static void lose(void)
{
	control_close();
	lost = true;
}

/* Events are sent in bunches: a wake-up of the asker costs more than most steps. */
void event(struct event one)
{
	if (asker < 0)
		return;
	waiting[waiting_count++] = one;
	if (waiting_count == sizeof waiting / sizeof *waiting)
		events_flush();
}

void said(const char *text)
{
	for (size_t at = 0, length = strlen(text), room = sizeof(struct event) - 4; at < length; at += room) {
		struct event piece = { .type = SAID };
		memcpy((char *)&piece + 4, text + at, length - at < room ? length - at : room);
		event(piece);
	}
}

void events_flush(void)
{
	const char *at = (const char *)waiting;
	size_t left = waiting_count * sizeof *waiting;
	while (asker >= 0 && left > 0) {
		/* MSG_NOSIGNAL: an asker that died is a state to handle, not a SIGPIPE. */
		ssize_t sent = send(asker, at, left, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			lose();
			return;
		}
		at += sent;
		left -= (size_t)sent;
	}
	waiting_count = 0;
}

int next_command(struct command *command)
{
	if (asker < 0)
		return lost ? -1 : 0;
	while (half_used < sizeof half) {
		ssize_t got = recv(asker, half + half_used, sizeof half - half_used, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got <= 0) {
			lose();
			return -1;
		}
		half_used += (size_t)got;
	}
	half_used = 0;
	memcpy(command, half, sizeof half);
	if (command->type >= GO && command->type <= ABORT)
		return 1;
	lose();
	return -1;
}

uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}
