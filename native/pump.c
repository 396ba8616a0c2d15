/*
 * Bytes between us and the pty's master. Standard input and output may be shared with the user's shell, so they are
 * never made O_NONBLOCK (a flag of the open file, fcntl(2)): poll first, then move no more than is sure to fit.
 */
#include "base.h"
#include "pump.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* PIPE_BUF: what a pipe takes without blocking once poll says that it is writable (pipe(7)). */
struct pipe { char bytes[4096]; size_t at, used; };

static struct pipe in, out;
static int master = -1;
static bool in_open, out_open, detached, hung, raw;
static char last_in = '\n';
static struct termios before;

void pump_start(int fd, bool with_input)
{
	master = fd;
	if (master < 0)
		return;
	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK); /* ours alone: the child's copy went with its exec */
	in_open = with_input;
	detached = !with_input;
	out_open = true;
	pump_resize_to_ours();
	if (!with_input || tcgetattr(0, &before) < 0)
		return;
	struct termios mode = before;
	cfmakeraw(&mode);
	raw = tcsetattr(0, TCSANOW, &mode) == 0;
}

void pump_stop(void)
{
	if (raw)
		tcsetattr(0, TCSANOW, &before);
	raw = false;
}

void pump_resize(unsigned rows, unsigned columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
	if (master >= 0)
		ioctl(master, TIOCSWINSZ, &size);
}

void pump_resize_to_ours(void)
{
	struct winsize size;
	if (ioctl(0, TIOCGWINSZ, &size) == 0)
		pump_resize(size.ws_row, size.ws_col);
}

int pump_prepare(struct pollfd fds[PUMP_FDS])
{
	short wanted = (short)((out.used ? 0 : POLLIN) | (in.used ? POLLOUT : 0));
	fds[0] = (struct pollfd){ .fd = in_open && !in.used ? 0 : -1, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = hung || !wanted ? -1 : master, .events = wanted };
	fds[2] = (struct pollfd){ .fd = out.used ? 1 : -1, .events = POLLOUT };
	/* Nobody has the terminal open, so poll would return at once, for ever. Somebody may open it again. */
	if (!hung || master < 0)
		return -1;
	hung = false;
	fds[1].fd = -1;
	return 200;
}

static bool drain(struct pipe *pipe, int fd)
{
	ssize_t written = write(fd, pipe->bytes + pipe->at, pipe->used);
	if (written < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	bool taken = written >= 0;
	if (!taken)
		written = (ssize_t)pipe->used; /* nobody will take it: gone */
	pipe->at += (size_t)written;
	pipe->used -= (size_t)written;
	return taken;
}

/* Nobody reads the output any more. In front of a user that is a closed window: the terminal hangs up (tty(4)). */
static void lose_output(void)
{
	out_open = false;
	if (errno != EPIPE || detached)
		return;
	close(master);
	master = -1;
}

/* A terminal has no end of file, only a character that says so; at the start of a line it means what it says. */
static void say_end(void)
{
	struct termios mode;
	char end = tcgetattr(master, &mode) == 0 ? (char)mode.c_cc[VEOF] : 4;
	in_open = false;
	in.at = 0;
	in.used = last_in == '\n' ? 1 : 2;
	memset(in.bytes, end, 2);
}

static void read_ours(void)
{
	ssize_t got = read(0, in.bytes, sizeof in.bytes);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		say_end();
		return;
	}
	in.at = 0;
	in.used = (size_t)got;
	last_in = in.bytes[got - 1];
}

static void read_theirs(void)
{
	ssize_t got = read(master, out.bytes, sizeof out.bytes);
	/* EIO: the other side is closed everywhere, and all that was written there has been read. */
	hung = got == 0 || (got < 0 && errno == EIO);
	if (got <= 0)
		return;
	out.at = 0;
	out.used = out_open ? (size_t)got : 0;
}

void pump_move(const struct pollfd fds[PUMP_FDS])
{
	if (fds[0].fd >= 0 && fds[0].revents)
		read_ours();
	if (fds[1].fd >= 0 && fds[1].revents & POLLOUT && in.used)
		drain(&in, master);
	if (fds[1].fd >= 0 && fds[1].revents & (POLLIN | POLLHUP | POLLERR) && !out.used)
		read_theirs();
	if (fds[2].fd >= 0 && fds[2].revents && !drain(&out, 1))
		lose_output();
}

bool pump_is_dry(void)
{
	struct pollfd more = { .fd = master, .events = POLLIN };
	in_open = false;
	in.used = 0;
	if (master < 0)
		return true;
	/* A poll of a terminal waits for what is still on its way through it; POLLHUP alone is its end. */
	return !out.used && (poll(&more, 1, 0) == 0 || !(more.revents & POLLIN));
}
