#include "base.h"
#include "leftovers.h"
#include "calls.h"
#include "kernel.h"
#include "procfs.h"
#include "say.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static bool all_children_are_ours;

/* A process that was started by exec may have children that it never made: those are none of our business. */
void become_reaper(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	all_children_are_ours = waitid(P_ALL, 0, NULL, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

static void end_process(int pid)
{
	/* cgroup.procs says 0 for a process that this pid namespace doesn't see; kill(2) would take it for our group. */
	if (pid > 1)
		kill(pid, SIGKILL);
}

/* Killing one may bring us its children, so until there are none. Theirs are not reaped yet: no number is stale. */
void kill_leftovers(void)
{
	char path[64] = "/proc/self/task/", digits[NUMBER_MAX];
	struct timespec moment = { .tv_nsec = 1000000 };
	strcat(strcat(path, number(digits, (uint64_t)getpid())), "/children");
	for (int rounds = 0; all_children_are_ours && rounds < 5000; rounds++) {
		pid_t reaped;
		while ((reaped = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
			;
		if (reaped < 0)
			return;
		each_number(path, end_process);
		nanosleep(&moment, NULL);
	}
}

/* The name of the first directory in it, other than itself and the one above. */
static bool first_directory(int fd, char *name, size_t size)
{
	char buffer[1024] __attribute__((aligned(8)));
	long got;
	lseek(fd, 0, SEEK_SET);
	while ((got = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
		for (long at = 0; at < got;) {
			struct dirent64 *entry = (struct dirent64 *)(buffer + at);
			at += entry->d_reclen;
			if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || strlen(entry->d_name) >= size)
				continue;
			strcpy(name, entry->d_name);
			return true;
		}
	return false;
}

/*
 * Below a cgroup: only what is empty goes. Processes there may be of somebody else who found the directory. By descriptor,
 * for whoever was in it may have made more levels than a path can name, and than our stack could hold.
 */
static void remove_subgroups(const char *path)
{
	enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
	char name[256];
	bool climbed = false;
	int fd = open(path, HOW);
	for (unsigned depth = 0; fd >= 0;) {
		int next;
		if (first_directory(fd, name, sizeof name)) {
			if (unlinkat(fd, name, AT_REMOVEDIR) == 0) {
				climbed = false;
				continue;
			}
			if (climbed)
				break; /* it has been emptied as far as it can be */
			next = (int)syscall(SYS_openat, fd, name, HOW);
			depth++;
		} else {
			if (depth == 0)
				break;
			next = (int)syscall(SYS_openat, fd, "..", HOW);
			depth--;
			climbed = true;
		}
		close(fd);
		fd = next;
	}
	if (fd >= 0)
		close(fd);
}

void empty_cgroup(const char *path)
{
	char buffer[4096];
	size_t length = strlen(path);
	if (length + sizeof "/cgroup.procs" > sizeof buffer)
		return;
	strcat(strcpy(buffer, path), "/cgroup.procs");
	if (access(buffer, F_OK) < 0)
		return;
	each_number(buffer, end_process);
	remove_subgroups(path);
}
