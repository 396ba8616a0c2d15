/* Kinds on seccomp(2): the filter that the program runs under, and its listener, which an agent outside gets. */
#include "base.h"
#include "calls.h"
#include "say.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER 8 /* Linux 5.0 */
#endif

int call_seccomp(struct hand *hand, const struct arg *a)
{
	struct sock_fprog program = {
		.len = (unsigned short)(a[0].length / sizeof(struct sock_filter)),
		.filter = (void *)a[0].text,
	};
	unsigned flags = (unsigned)a[1].number | (a[2].slot >= 0 ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	if (a[0].length % sizeof(struct sock_filter) || a[0].length / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return EINVAL;
	long got = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (got < 0)
		return errno;
	if (a[2].slot >= 0)
		return child_report_listener(hand, a[2].slot, (int)got);
	return got > 0 ? ESRCH : 0; /* SECCOMP_FILTER_FLAG_TSYNC: the thread that can't follow; we have one */
}

enum { PARTS_MAX = 8 };

/* The pieces with the child's pid between them: it is known only now. */
static size_t join_parts(const struct arg *parts, const char *pid, struct iovec *into)
{
	size_t used = 0;
	for (uint32_t i = 0; i < parts->length; i++) {
		if (i > 0)
			into[used++] = (struct iovec){ (void *)pid, strlen(pid) };
		into[used++] = (struct iovec){ parts->list[i], strlen(parts->list[i]) };
	}
	return used;
}

static int send_with(int socket, int pass, struct iovec *parts, size_t count)
{
	char space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count, .msg_control = space, .msg_controllen = sizeof space };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	size_t size = 0;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &pass, sizeof pass);
	for (size_t i = 0; i < count; i++)
		size += parts[i].iov_len;
	ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN ? ETIMEDOUT : errno;
	return (size_t)sent < size ? EIO : 0;
}

/* One connection for one message: config-linux.md, "Seccomp", listenerPath. */
int call_sendfd(struct hand *hand, const struct arg *a)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 10 };
	struct iovec parts[2 * PARTS_MAX];
	char digits[NUMBER_MAX];
	if (a[0].length >= sizeof to.sun_path)
		return ENAMETOOLONG;
	if (a[2].length == 0 || a[2].length > PARTS_MAX)
		return EINVAL;
	if (hand_fd(hand, a[1].slot) < 0)
		return EBADF;
	memcpy(to.sun_path, a[0].text, a[0].length);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	int error = result(connect(fd, (struct sockaddr *)&to, sizeof to));
	if (!error)
		error = send_with(fd, hand_fd(hand, a[1].slot), parts,
				  join_parts(&a[2], number(digits, (uint64_t)hand->child), parts));
	close(fd);
	/* Who was given the terminal moves its bytes from now on (pump.c). */
	if (!error && hand_fd(hand, a[1].slot) == hand->terminal)
		hand->terminal = -1;
	return error;
}
