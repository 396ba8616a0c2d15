/* Kinds on the terminal: opened on the container's own devpts, its master handed to the host hand. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include <fcntl.h>
#include <sys/ioctl.h>

int call_setsid(struct hand *hand, const struct arg *a)
{
	(void)hand, (void)a;
	return result(setsid());
}

/* TIOCGPTPEER opens the other end by descriptor: a path /dev/pts/N could be anything by now (ioctl_tty(2)). */
int call_openpts(struct hand *hand, const struct arg *a)
{
	int master = hand_fd(hand, a[0].slot), unlocked = 0;
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return errno;
	int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? errno : hand_put(hand, a[1].slot, fd);
}

int call_winsize(struct hand *hand, const struct arg *a)
{
	struct winsize size = { .ws_row = (unsigned short)a[1].number, .ws_col = (unsigned short)a[2].number };
	return result(ioctl(hand_fd(hand, a[0].slot), TIOCSWINSZ, &size));
}

int call_handover(struct hand *hand, const struct arg *a)
{
	if (hand_fd(hand, a[0].slot) < 0)
		return EBADF;
	child_report_descriptor(hand, a[0].slot);
	return 0;
}

int call_ctty(struct hand *hand, const struct arg *a)
{
	int fd = hand_fd(hand, a[0].slot);
	if (ioctl(fd, TIOCSCTTY, 0) < 0)
		return errno;
	for (int standard = 0; standard <= 2; standard++)
		if (dup2(fd, standard) < 0)
			return errno;
	return 0;
}
