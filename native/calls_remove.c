/* Kinds that remove names: the undo of what calls_file.c makes. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include "say.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

static int remove_name(struct hand *hand, const struct arg *a, int flags)
{
	char name[256];
	int parent = open_parent(hand, a[0].slot, a[1].text, name);
	if (parent < 0)
		return errno;
	int error = result(unlinkat(parent, name, flags));
	close(parent);
	return error;
}

int call_rmdir(struct hand *hand, const struct arg *a)
{
	return remove_name(hand, a, AT_REMOVEDIR);
}

int call_unlink(struct hand *hand, const struct arg *a)
{
	return remove_name(hand, a, 0);
}

/*
 * Into a subdirectory, but never through a symlink and never into another mount: what is bind-mounted below a tree
 * that is to be removed may be anything, the host's / included.
 */
static int descend(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	return sys_openat2(dir, name, &how);
}

struct walk {
	int top;        /* the tree's own directory, open */
	unsigned lifted;
};

/* Each level costs a descriptor and a piece of stack, and whoever filled the tree chose how many there are. */
enum { DEPTH = 256 };

/* What lies too deep for one walk goes to the top, where the walk finds it again. */
static int lift(struct walk *walk, int dir, const char *name)
{
	char to[NUMBER_MAX + 8], digits[NUMBER_MAX];
	long renamed;
	do {
		strcat(strcpy(to, ".lifted"), number(digits, walk->lifted++));
		renamed = syscall(SYS_renameat2, dir, name, walk->top, to, RENAME_NOREPLACE);
	} while (renamed < 0 && errno == EEXIST);
	return result(renamed);
}

static int remove_entry(struct walk *walk, int dir, const char *name, int depth);

/* Removes what one getdents64(2) showed; true when there may be more. */
static bool remove_some(struct walk *walk, int dir, int depth, int *error)
{
	char buffer[2048] __attribute__((aligned(8)));
	bool any = false;
	if (lseek(dir, 0, SEEK_SET) < 0)
		return false;
	long got;
	while (!any && (got = syscall(SYS_getdents64, dir, buffer, sizeof buffer)) > 0)
		for (long at = 0; at < got;) {
			struct entry *entry = (struct entry *)(buffer + at);
			at += entry->size;
			if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
				continue;
			int failed = remove_entry(walk, dir, entry->name, depth);
			any |= !failed;
			if (failed && !*error)
				*error = failed;
		}
	return any;
}

static int remove_entry(struct walk *walk, int dir, const char *name, int depth)
{
	if (unlinkat(dir, name, 0) == 0)
		return 0;
	/* unlink(2): EISDIR on Linux, EPERM says POSIX. */
	if (errno != EISDIR && errno != EPERM)
		return errno;
	if (depth == 0)
		return lift(walk, dir, name);
	int below = descend(dir, name), error = 0;
	if (below < 0)
		return errno;
	if (depth == DEPTH)
		walk->top = below;
	while (remove_some(walk, below, depth - 1, &error))
		;
	close(below);
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 ? 0 : error ? error : errno;
}

int call_rmtree(struct hand *hand, const struct arg *a)
{
	char name[256];
	int parent = open_parent(hand, a[0].slot, a[1].text, name);
	if (parent < 0)
		return errno;
	struct walk walk = { .top = -1 };
	int error = remove_entry(&walk, parent, name, DEPTH);
	close(parent);
	return error;
}
