/* Kinds on what the process sees: its host's names, its network. */
#include "base.h"
#include "calls.h"
#include "share.h"
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

int call_sethostname(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(sethostname(a[0].text, a[0].length));
}

int call_setdomainname(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(setdomainname(a[0].text, a[0].length));
}

/* How many acknowledgements these messages ask for; -1 when their lengths don't add up. */
static int count_acks(const char *bytes, size_t length)
{
	int acks = 0;
	for (size_t at = 0; at < length;) {
		struct nlmsghdr header;
		if (length - at < sizeof header)
			return -1;
		memcpy(&header, bytes + at, sizeof header);
		if (header.nlmsg_len < sizeof header || header.nlmsg_len > length - at)
			return -1;
		acks += (header.nlmsg_flags & NLM_F_ACK) != 0;
		at += NLMSG_ALIGN((size_t)header.nlmsg_len);
	}
	return acks;
}

/* Reads answers until all acknowledgements are there or one is an error: its errno. */
static int await_acks(int fd, int acks)
{
	char buffer[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	while (acks > 0) {
		ssize_t got = recv(fd, buffer, sizeof buffer, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
		for (size_t left = (size_t)got; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
				continue;
			const struct nlmsgerr *answer = NLMSG_DATA(header);
			if (answer->error)
				return -answer->error;
			acks--;
		}
	}
	return 0;
}

/* The messages, with the child's pid written over four bytes of them: only birth decides on that number. */
static int send_messages(struct hand *hand, int fd, const struct arg *messages, uint64_t pid_at)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	uint32_t pid = (uint32_t)hand->child;
	char *bytes = (char *)messages->text;
	struct iovec parts[] = {
		{ bytes, pid_at ? pid_at : messages->length },
		{ &pid, sizeof pid },
		{ bytes + pid_at + sizeof pid, messages->length - pid_at - sizeof pid },
	};
	struct msghdr message = {
		.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = parts, .msg_iovlen = pid_at ? 3 : 1,
	};
	return result(sendmsg(fd, &message, 0));
}

int call_netlink(struct hand *hand, const struct arg *a)
{
	int acks = count_acks(a[1].text, a[1].length), error;
	struct timeval patience = { .tv_sec = 10 };
	uint64_t pid_at = a[2].number;
	if (acks < 0 || (pid_at && (a[1].length < sizeof(uint32_t) || pid_at > a[1].length - sizeof(uint32_t))))
		return EINVAL;
	if (pid_at && hand->child == 0)
		return ESRCH;
	if (a[3].text && !share_is_ours_alone(a[3].text))
		return 0;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)a[0].number);
	if (fd < 0)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	error = send_messages(hand, fd, &a[1], pid_at);
	if (!error)
		error = await_acks(fd, acks);
	close(fd);
	return error;
}
