/*
 * A seccomp agent for one container (config-linux.md, "Seccomp"): agent PATH. Says `ready`, takes one connection, prints what
 * came and answers the listener's questions until nobody can ask any more: execve goes on, all else returns 4242.
 */
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int receive(int connection)
{
	char text[65536], space[CMSG_SPACE(sizeof(int))];
	struct iovec into = { text, sizeof text };
	struct msghdr message = { .msg_iov = &into, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	int fd = -1;
	ssize_t got = recvmsg(connection, &message, 0);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof fd);
	for (; got > 0; got = read(connection, text, sizeof text))
		fwrite(text, 1, (size_t)got, stdout);
	fflush(stdout);
	return fd;
}

static int answer(int listener)
{
	struct seccomp_notif question = { 0 };
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
		return -1;
	struct seccomp_notif_resp reply = { .id = question.id, .val = 4242 };
	if (question.data.nr == SYS_execve) {
		reply.val = 0;
		reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	if (argc != 2)
		return 2;
	strncpy(at.sun_path, argv[1], sizeof at.sun_path - 1);
	if (bind(server, (struct sockaddr *)&at, sizeof at) < 0 || listen(server, 1) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	struct pollfd listener = { .fd = receive(accept(server, NULL, NULL)), .events = POLLIN };
	while (poll(&listener, 1, 10000) > 0 && !(listener.revents & POLLHUP) && answer(listener.fd) == 0)
		;
	return 0;
}
