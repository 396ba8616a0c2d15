/* Kinds of sd_notify(3)'s protocol: datagrams of lines, such as READY=1, to a unix socket. */
#include "base.h"
#include "calls.h"
#include "control.h"
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MESSAGE_MAX = 4096 };

/* A name that begins with @ is an abstract one (unix(7)). */
static int address(const struct arg *name, struct sockaddr_un *to, socklen_t *length)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (name->length == 0 || name->length >= sizeof to->sun_path)
		return name->length ? ENAMETOOLONG : EINVAL;
	memcpy(to->sun_path, name->text, name->length);
	if (to->sun_path[0] == '@')
		to->sun_path[0] = 0;
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name->length + (to->sun_path[0] != 0));
	return 0;
}

static int datagram_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

int call_listen(struct hand *hand, const struct arg *a)
{
	struct sockaddr_un at;
	socklen_t length;
	int error = address(&a[0], &at, &length);
	if (error)
		return error;
	int fd = datagram_socket();
	error = fd < 0 ? errno : result(bind(fd, (struct sockaddr *)&at, length));
	if (error) {
		if (fd >= 0)
			close(fd);
		return error;
	}
	return hand_put(hand, a[1].slot, fd);
}

static bool says_ready(const char *message, size_t length)
{
	static const char word[] = "READY=1";
	for (size_t at = 0; at < length; at += 1 + strcspn(message + at, "\n"))
		if (strncmp(message + at, word, sizeof word - 1) == 0 &&
		    (message[at + sizeof word - 1] == '\n' || at + sizeof word - 1 == length))
			return true;
	return false;
}

/* Until the word comes. The asker ends the waiting by going, or by any command: nobody is ready any more. */
int call_ready(struct hand *hand, const struct arg *a)
{
	char message[MESSAGE_MAX + 1];
	int fd = hand_fd(hand, a[0].slot);
	if (fd < 0)
		return EBADF;
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = control_fd(), .events = POLLIN },
			{ .fd = signals_fd(), .events = POLLIN },
		};
		events_flush(); /* that the socket is there has to be known before anybody is told of it */
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return errno;
		if (fds[1].revents || fds[2].revents)
			return ECANCELED;
		/* Descriptors that come along are closed by the kernel: we leave no room for them (unix(7)). */
		ssize_t got = fds[0].revents ? recv(fd, message, MESSAGE_MAX, MSG_DONTWAIT) : 0;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return errno;
		if (got > 0) {
			message[got] = 0;
			if (says_ready(message, (size_t)got))
				return 0;
		}
	}
}

int call_tell(struct hand *hand, const struct arg *a)
{
	struct sockaddr_un to;
	socklen_t length;
	(void)hand;
	int error = address(&a[0], &to, &length);
	if (error)
		return error;
	int fd = datagram_socket();
	if (fd < 0)
		return errno;
	error = result(connect(fd, (struct sockaddr *)&to, length));
	if (!error)
		error = result(send(fd, a[1].text, a[1].length, MSG_NOSIGNAL));
	close(fd);
	return error;
}
