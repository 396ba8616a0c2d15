/* The last kind: the process becomes the program. */
#include "base.h"
#include "calls.h"
#include "control.h"
#include "kernel.h"
#include "say.h"
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static void reset_signals(void)
{
	sigset_t none = signal_set(0);
	for (int signal = 1; signal < NSIG; signal++)
		default_action(signal);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *search_path(char *const *envp)
{
	for (; *envp; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

typedef int try_program(const char *path, char *const *argv, char *const *envp);

static int become(const char *path, char *const *argv, char *const *envp)
{
	return result(execve(path, argv, envp));
}

/* What execve(2) would find wrong with the file before it reads it. */
static int look_at(const char *path, char *const *argv, char *const *envp)
{
	struct stat status;
	(void)argv, (void)envp;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = result(fstat(fd, &status));
	close(fd);
	if (!error && !S_ISREG(status.st_mode))
		error = EACCES;
	return error ? error : result(access(path, X_OK));
}

/* Not execvpe(3): it would search the launcher's PATH, and run what isn't executable as a shell script. */
static int search(try_program *try, const char *name, char *const *argv, char *const *envp)
{
	char path[4096];
	size_t name_length = strlen(name);
	int error = ENOENT;
	for (const char *at = search_path(envp);; at++) {
		size_t length = strcspn(at, ":");
		if (length + 1 + name_length < sizeof path) {
			memcpy(path, at, length);
			path[length] = '/';
			memcpy(path + length + (length > 0), name, name_length + 1); /* an empty entry is the cwd */
			int failed = try(path, argv, envp);
			if (!failed)
				return 0;
			/* A file that is there but may not be run says more than all the directories without it. */
			if (failed != ENOENT && failed != ENOTDIR && error != EACCES)
				error = failed;
		}
		at += length;
		if (!*at)
			return error;
	}
}

/* sd_listen_fds(3): what is for one process alone says for which. Its number is known only now. */
static void name_ourselves(const char *name, const struct step *exec)
{
	static char variable[64];
	char digits[NUMBER_MAX];
	char **envp = (char **)exec->args[1].list;
	size_t length = strlen(name);
	for (; *envp; envp++)
		if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=') {
			memcpy(variable, name, length);
			variable[length] = '=';
			strcpy(variable + length + 1, number(digits, (uint64_t)getpid()));
			*envp = variable;
			return;
		}
}

int call_pidenv(struct hand *hand, const struct arg *a)
{
	if (a[0].length == 0 || a[0].length > 32 || strchr(a[0].text, '='))
		return EINVAL;
	hand->pid_name = a[0].text;
	return 0;
}

/* All that comes before execve itself. A filter that is loaded between the two need not allow any of it. */
void prepare_exec(struct hand *hand, const struct step *exec)
{
	if (hand->pid_name)
		name_ourselves(hand->pid_name, exec);
	umask(hand->umask);
	reset_signals();
	/* Changing ids or capabilities has cleared it (prctl(2)); and the launcher may have died in that time. */
	prctl(PR_SET_PDEATHSIG, hand->leave || hand->left ? 0 : SIGKILL);
	if (child_is_orphan(hand))
		_exit(1);
	sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	for (int fd = 3; fd < 3 + hand->pass; fd++)
		fcntl(fd, F_SETFD, 0);
}

int call_exec(struct hand *hand, const struct arg *a)
{
	char *const *argv = a[0].list, *const *envp = a[1].list;
	(void)hand;
	if (a[0].length == 0 || !*argv[0])
		return a[0].length == 0 ? EINVAL : ENOENT;
	return strchr(argv[0], '/') ? become(argv[0], argv, envp) : search(become, argv[0], argv, envp);
}

/* Whether exec will find its program: asked while there is still somebody to tell. */
int call_lookup(struct hand *hand, const struct arg *a)
{
	const char *name = a[0].text;
	(void)hand;
	if (!*name)
		return ENOENT;
	return strchr(name, '/') ? look_at(name, NULL, NULL) : search(look_at, name, NULL, a[1].list);
}
