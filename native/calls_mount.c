/* Kinds on the mount tree and on where the process stands in it. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include <fcntl.h>
#include <sys/mount.h>

/*
 * mount(2) and umount2(2) know only paths. Relative to a directory that we stand in, nobody can lead them elsewhere; and
 * unlike /proc/self/fd/N that asks no /proc, which in a joined mount namespace may be anybody's.
 */
static int stand_in(int place)
{
	int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* The asker's directory may be one that our user namespace's root can't search: then nobody needs us to be there. */
	if (before < 0 && errno == EACCES)
		before = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (before >= 0 && fchdir(place) < 0) {
		close_parent(before);
		return -1;
	}
	return before;
}

static int stand_back(int before, int error)
{
	if (fchdir(before) < 0 && !error)
		error = errno;
	close(before);
	return error;
}

int mount_on(int place, const char *source, const char *type, unsigned long flags, const char *data)
{
	int before = stand_in(place);
	return before < 0 ? errno : stand_back(before, result(mount(source, ".", type, flags, data)));
}

int call_mount(struct hand *hand, const struct arg *a)
{
	const char *source = a[0].text, *target = a[2].text, *type = a[3].text, *data = a[5].text;
	if (a[1].slot < 0)
		return result(mount(source, target, type, a[4].number, data));
	int place = open_place(hand, a[1].slot, target);
	if (place < 0)
		return errno;
	int error = mount_on(place, source, type, a[4].number, data);
	close(place);
	return error;
}

/* A descriptor inside a mount keeps it busy, so the path goes by the parent's, which is outside. */
int call_umount(struct hand *hand, const struct arg *a)
{
	char name[256];
	if (a[0].slot < 0)
		return result(umount2(a[1].text, (int)a[2].number));
	int parent = open_parent(hand, a[0].slot, a[1].text, name);
	if (parent < 0)
		return errno;
	int before = stand_in(parent);
	int error = before < 0 ? errno : stand_back(before, result(umount2(name, (int)a[2].number | UMOUNT_NOFOLLOW)));
	close(parent);
	return error;
}

int call_pivot_root(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(syscall(SYS_pivot_root, a[0].text, a[1].text));
}

int call_chroot(struct hand *hand, const struct arg *a)
{
	(void)hand;
	return result(chroot(a[0].text));
}

int call_chdir(struct hand *hand, const struct arg *a)
{
	if (a[0].slot < 0)
		return result(chdir(a[1].text));
	int fd = open_inside(hand, a[0].slot, a[1].text, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return errno;
	int error = result(fchdir(fd));
	close(fd);
	return error;
}
