/*
 * Kinds that make a file system by descriptor: opened, told its parameters one by one, mounted nowhere yet. There is no
 * page of options that could be too long, and no separator in it that could be part of a folder's name.
 */
#include "base.h"
#include "calls.h"
#include "control.h"
#include "kernel.h"
#include <string.h>

/* FSCONFIG_SET_FD, which glibc has as an enumerator or not at all. */
enum { SET_FD = 5 };

int call_fsopen(struct hand *hand, const struct arg *a)
{
	return named(hand, a[1].slot, (int)syscall(SYS_fsopen, a[0].text, FSOPEN_CLOEXEC));
}

/* A file system tells in words what it dislikes, to whoever reads its descriptor; the errno alone is mostly EINVAL. */
static void hand_on_complaint(int fs)
{
	char text[512];
	ssize_t got = read(fs, text, sizeof text - 1);
	if (got <= 0)
		return;
	text[got] = 0;
	said(text);
}

int call_fsconfig(struct hand *hand, const struct arg *a)
{
	unsigned command = (unsigned)a[1].number;
	int fs = hand_fd(hand, a[0].slot), aux = command == SET_FD ? hand_fd(hand, a[4].slot) : 0;
	int error = result(syscall(SYS_fsconfig, fs, command, a[2].text, a[3].text, aux));
	if (error)
		hand_on_complaint(fs);
	return error;
}

int call_fsmount(struct hand *hand, const struct arg *a)
{
	int fs = hand_fd(hand, a[0].slot);
	return named(hand, a[2].slot, (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)a[1].number));
}
