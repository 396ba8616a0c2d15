/* Kinds on mounts that are held by descriptor: taken, changed while nobody can see them yet, and put in place. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* A bind mount that hangs nowhere yet (open_tree(2), OPEN_TREE_CLONE). */
int call_open_tree(struct hand *hand, const struct arg *a)
{
	unsigned flags = OPEN_TREE_CLONE | (a[2].number ? AT_RECURSIVE : 0);
	/* By path, so that one which is mounted on demand is mounted now: an O_PATH descriptor asks for nothing (open(2)). */
	if (a[0].slot < 0)
		return named(hand, a[3].slot, sys_open_tree(AT_FDCWD, a[1].text, flags));
	int place = open_place(hand, a[0].slot, a[1].text);
	if (place < 0)
		return named(hand, a[3].slot, -1);
	int tree = sys_open_tree(place, "", flags | AT_EMPTY_PATH);
	close_parent(place);
	return named(hand, a[3].slot, tree);
}

int call_mount_setattr(struct hand *hand, const struct arg *a)
{
	struct mount_attributes attributes = { .set = a[3].number, .clear = a[4].number, .propagation = a[5].number };
	if (a[6].slot >= 0)
		attributes.userns_fd = (uint64_t)hand_fd(hand, a[6].slot);
	int place = open_place(hand, a[0].slot, a[1].text);
	if (place < 0)
		return errno;
	int error = result(sys_mount_setattr(place, a[2].number ? AT_RECURSIVE : 0, &attributes));
	close(place);
	return error;
}

int call_move_mount(struct hand *hand, const struct arg *a)
{
	int place = open_place(hand, a[1].slot, a[2].text);
	if (place < 0)
		return errno;
	int error = result(sys_move_mount(hand_fd(hand, a[0].slot), place));
	close(place);
	return error;
}

static int cover(int place, int mount)
{
	int clone = sys_open_tree(mount, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (clone < 0)
		return errno;
	int error = result(sys_move_mount(clone, place));
	close(clone);
	return error;
}

/* Which of the two it is, only the container's own tree knows: an empty directory hides one, the given file another. */
int call_mask(struct hand *hand, const struct arg *a)
{
	struct stat found;
	int place = open_place(hand, a[0].slot, a[1].text);
	if (place < 0)
		return errno;
	int error = result(fstat(place, &found));
	if (!error && S_ISDIR(found.st_mode))
		error = mount_on(place, "tmpfs", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
				 "mode=755,nr_blocks=1,nr_inodes=1");
	else if (!error)
		error = cover(place, hand_fd(hand, a[2].slot));
	close(place);
	return error;
}
