/* Playing a ledger: backwards, each undo once, going on when one fails. */
#include "base.h"
#include "control.h"
#include "hand.h"
#include "kernel.h"
#include "ledger_file.h"
#include "leftovers.h"
#include "procfs.h"
#include "say.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int record_mark(int fd, int64_t record, char state)
{
	ssize_t written = pwrite(fd, &state, 1, record + (int64_t)offsetof(struct record_head, state));
	return written == 1 ? 0 : written < 0 ? errno : EIO;
}

/* Only the process that was meant: its number may be another's by now. Gone when its descriptor is readable. */
static int end_child(const uint8_t *bytes, size_t length)
{
	struct child_body body;
	uint64_t started;
	if (length != sizeof body)
		return EINVAL;
	memcpy(&body, bytes, sizeof body);
	int pidfd = sys_pidfd_open((int)body.pid);
	if (pidfd < 0)
		return 0;
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };
	int error = 0;
	if (process_started((int)body.pid, &started) == 0 && started == body.started) {
		sys_pidfd_send_signal(pidfd, SIGKILL);
		error = poll(&gone, 1, 10000) == 1 ? 0 : ETIMEDOUT;
	}
	close(pidfd);
	return error;
}

/* What was to be removed is not there: as good as undone. umount2(2): EINVAL, not a mount point. */
static bool is_gone(const struct kind *kind, int error)
{
	return error == ENOENT || (error == EINVAL && strcmp(kind->name, "umount") == 0) ||
	       (error == ENODEV && strcmp(kind->name, "netlink") == 0);
}

/*
 * A process that is dying may still sit in the cgroup or on the mount for a moment. One that isn't dying has left
 * its parents behind (no pid namespace, and the launcher killed): if the cgroup is surely ours, so is the process.
 */
static int take_back(struct hand *hand, const struct step *step, bool surely_ours)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	bool removes = strcmp(step->kind->name, "rmdir") == 0 || strcmp(step->kind->name, "umount") == 0;
	uint64_t begun = now(), ns;
	for (;;) {
		int error = hand_perform(hand, step, &ns);
		if (is_gone(step->kind, error) || step_tolerates(step, error))
			return 0;
		if (!removes || (error != EBUSY && error != ENOTEMPTY) || now() - begun > 2000000000)
			return error;
		if (surely_ours && strcmp(step->kind->name, "rmdir") == 0)
			empty_cgroup(step->args[1].text);
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 50000000)
			pause.tv_nsec *= 2;
	}
}

static int undo(const uint8_t *bytes, size_t length, bool surely_ours, char *what, size_t what_size)
{
	struct hand hand;
	struct step step;
	struct arena arena;
	hand_init(&hand, NULL);
	int error = arena_new(&arena, 8 * length + 4096);
	if (error)
		return error;
	error = step_decode_undo(&step, bytes, length, &arena);
	if (!error) {
		step_text(&step, what, what_size);
		error = take_back(&hand, &step, surely_ours);
	}
	arena_free(&arena);
	return error;
}

static int play_record(int fd, int64_t at, uint32_t index, const struct record_head *head, const uint8_t *body)
{
	size_t length = head->length - sizeof *head;
	char digits[NUMBER_MAX], what[256] = "record";
	if (head->state != PROMISED && head->state != SETTLED && head->state != THE_CHILD)
		return 0;
	int error = head->state == THE_CHILD ? end_child(body, length) : undo(body, length, head->state == SETTLED, what, sizeof what);
	if (!error)
		record_mark(fd, at, VOID);
	if (head->state != THE_CHILD)
		event((struct event){ .type = UNDONE, .step = index, .error = error });
	if (error && control_fd() < 0)
		say("undo ", number(digits, index), ", ", what, ": ", error_text(error), " (", error_name(error), ")", NULL);
	return error;
}

/* Finds where records begin; one that was torn by a crash was never acted on, and ends the list. */
static uint32_t index_records(const uint8_t *bytes, size_t size, uint32_t *offsets)
{
	uint32_t count = 0;
	struct record_head head;
	for (size_t at = 8; size - at >= sizeof head; at += head.length) {
		memcpy(&head, bytes + at, sizeof head);
		if (head.length < sizeof head || head.length > size - at)
			break;
		offsets[count++] = (uint32_t)at;
	}
	return count;
}

/*
 * Files first: what was written may be what holds the child, as a frozen cgroup of v1 does, where nobody can be killed.
 * Then the child, wherever its record stands, for it holds on to what the others remove.
 */
enum round { WRITES, CHILDS, OTHERS };

static enum round round_of(const struct record_head *head, const uint8_t *body)
{
	if (head->state == THE_CHILD)
		return CHILDS;
	const struct kind *kind = head->length >= sizeof *head + 6 ? kind_by_code((uint16_t)(body[4] | body[5] << 8)) : NULL;
	return kind && strcmp(kind->name, "write") == 0 ? WRITES : OTHERS;
}

static int play_all(int fd, const uint8_t *bytes, const uint32_t *offsets, uint32_t count)
{
	int first_error = 0;
	struct record_head head;
	for (enum round round = WRITES; round <= OTHERS; round++)
		for (uint32_t i = count; i-- > 0;) {
			const uint8_t *body = bytes + offsets[i] + sizeof head;
			memcpy(&head, bytes + offsets[i], sizeof head);
			if (round_of(&head, body) != round)
				continue;
			int error = play_record(fd, offsets[i], i, &head, body);
			if (error && !first_error)
				first_error = error;
		}
	return first_error;
}

int ledger_play_file(int fd)
{
	struct stat status;
	struct arena arena;
	if (fstat(fd, &status) < 0)
		return errno;
	size_t size = (size_t)status.st_size;
	if (size < 8)
		return 0; /* its launcher died before the first record */
	if (size > 2 * PLAN_MAX)
		return EFBIG;
	int error = arena_new(&arena, 2 * size + 64); /* a record is at least 8 bytes, its offset 4 */
	if (error)
		return error;
	uint8_t *bytes = arena_take(&arena, size);
	uint32_t *offsets = arena_take(&arena, size / 2);
	ssize_t got = pread(fd, bytes, size, 0);
	if (got < 8 || memcmp(bytes, LEDGER_MAGIC, 8) != 0)
		error = got < 0 ? errno : EINVAL;
	else
		error = play_all(fd, bytes, offsets, index_records(bytes, (size_t)got, offsets));
	arena_free(&arena);
	return error;
}
