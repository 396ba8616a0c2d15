/* A program of the host, for what no system call does: newuidmap, nft, hooks. It gets nothing of ours. */
#include "base.h"
#include "calls.h"
#include "control.h"
#include "kernel.h"
#include "say.h"
#include "share.h"
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { WORDS_MAX = 1100 /* 340 lines of an id map */, TOLD_MAX = 1024, SAID_MAX = 384 /* say() has one line */ };
struct program {
	const char *path;
	char *const *argv, *const *envp;
	int input, output, failure; /* failure: closed by a successful exec, else it brings the errno */
};
struct told { char text[TOLD_MAX + 1]; size_t used; };

static _Noreturn void become(const struct program *program)
{
	sigset_t none = signal_set(0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a ledger must not be played while this still works on */
	setsid();
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	if (dup2(program->input, 0) == 0 && dup2(program->output, 1) == 1 && dup2(program->output, 2) == 2) {
		sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		execve(program->path, program->argv, program->envp);
	}
	int error = errno;
	if (write(program->failure, &error, sizeof error) < 0)
		_exit(126);
	_exit(127);
}

/* Where this plan's word for the child's pid stands in the input next, or its end. */
static size_t next_word(const char *text, size_t length, size_t from, const char *word)
{
	size_t size = word ? strlen(word) : 0;
	for (; size && from + size <= length; from++)
		if (memcmp(text + from, word, size) == 0)
			return from;
	return length;
}

static bool put(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, text, length);
		if (written <= 0)
			return false;
		text += written;
		length -= (size_t)written;
	}
	return true;
}

/* Standard input as a file in memory, so that a program that doesn't read it can't stop us. */
static int input_file(const struct arg *input, const char *word, const char *pid)
{
	int fd = (int)syscall(SYS_memfd_create, "input", 1 /* MFD_CLOEXEC */);
	bool good = fd >= 0;
	for (size_t at = 0; good && at < input->length;) {
		size_t found = next_word(input->text, input->length, at, word);
		good = put(fd, input->text + at, found - at);
		if (good && found < input->length)
			good = put(fd, pid, strlen(pid));
		at = found + (found < input->length ? strlen(word) : 0);
	}
	if (good && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close_parent(fd);
	return -1;
}

/* The last of what it says is kept: errors come at the end. */
static bool hear_program(int fd, struct told *told)
{
	char piece[512];
	ssize_t got = read(fd, piece, sizeof piece);
	if (got <= 0)
		return got < 0 && errno == EINTR;
	size_t over = told->used + (size_t)got > TOLD_MAX ? told->used + (size_t)got - TOLD_MAX : 0;
	for (size_t i = 0; i + over < told->used; i++)
		told->text[i] = told->text[i + over];
	memcpy(told->text + told->used - over, piece, (size_t)got);
	told->used += (size_t)got - over;
	return true;
}

/* Until the program itself ends: what it left running may keep the pipe open. 0, ETIMEDOUT, or errno. */
static int await_program(pid_t pid, int output, uint64_t timeout_ms, struct told *told, int *status)
{
	int pidfd = sys_pidfd_open(pid), error = pidfd < 0 ? errno : 0;
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = output, .events = POLLIN } };
	uint64_t begun = now(), limit = timeout_ms * 1000000;
	while (!error && !fds[0].revents) {
		uint64_t spent = now() - begun;
		if (limit && spent >= limit) {
			error = ETIMEDOUT;
			break;
		}
		poll(fds, 2, limit ? (int)((limit - spent) / 1000000 + 1) : -1);
		if (fds[1].revents && !hear_program(output, told))
			fds[1].fd = -1;
	}
	if (error)
		kill(-pid, SIGKILL); /* it is its session's leader: with all that it started */
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	/* What it wrote just before its end. */
	fcntl(output, F_SETFL, O_NONBLOCK);
	while (!error && fds[1].fd >= 0 && hear_program(output, told))
		;
	if (pidfd >= 0)
		close(pidfd);
	return error;
}

/* To the asker in pieces, each in the place of an event; else to standard error. */
static void tell(const char *path, int error, int status, const struct told *told)
{
	char line[TOLD_MAX + 64] = "", digits[NUMBER_MAX];
	bool signalled = WIFSIGNALED(status);
	size_t before = control_fd() < 0 && told->used > SAID_MAX ? told->used - SAID_MAX : 0;
	if (error == ETIMEDOUT)
		strcat(line, "it took too long, and was killed");
	else
		strcat(strcat(line, signalled ? "signal " : "exit status "),
		       number(digits, (uint64_t)(signalled ? WTERMSIG(status) : WEXITSTATUS(status))));
	if (told->used)
		strcat(strcat(line, ": "), told->text + before);
	if (control_fd() < 0) {
		say(path, ": ", line, NULL);
		return;
	}
	said(line);
}

static int run(struct program *program, uint64_t timeout_ms)
{
	struct told told = { .used = 0 };
	int output[2], failure[2], error = 0, status = 0;
	if (syscall(SYS_pipe2, output, O_CLOEXEC) < 0)
		return errno;
	if (syscall(SYS_pipe2, failure, O_CLOEXEC) < 0) {
		error = errno;
		close(output[0]);
		close(output[1]);
		return error;
	}
	program->output = output[1];
	program->failure = failure[1];
	pid_t pid = fork();
	if (pid == 0)
		become(program);
	if (pid < 0)
		error = errno;
	close(output[1]);
	close(failure[1]);
	if (pid > 0) {
		bool began = read(failure[0], &error, sizeof error) != sizeof error;
		int late = await_program(pid, output[0], timeout_ms, &told, &status);
		if (began)
			error = late ? late : status ? ECANCELED : 0;
		told.text[told.used] = 0;
		if (began && error)
			tell(program->path, error, status, &told);
	}
	close(output[0]);
	close(failure[0]);
	return error;
}

/* The child itself is told by the proc file system that it sees: before its root moves, that is the host's. */
static uint64_t the_child(const struct hand *hand)
{
	char link[NUMBER_MAX] = "";
	uint64_t pid = 0;
	if (hand->child > 0 || (hand->sync < 0 && !hand->left))
		return (uint64_t)hand->child;
	if (readlink("/proc/self", link, sizeof link - 1) < 0)
		return (uint64_t)getpid();
	for (const char *digit = link; *digit >= '0' && *digit <= '9'; digit++)
		pid = pid * 10 + (uint64_t)(*digit - '0');
	return pid;
}

int call_spawn(struct hand *hand, const struct arg *a)
{
	struct program program = { .path = a[0].text, .envp = a[2].list };
	const char *word = a[5].text;
	char digits[NUMBER_MAX], *pid = number(digits, the_child(hand)), *argv[WORDS_MAX + 1];
	if (a[1].length > WORDS_MAX)
		return E2BIG;
	if (word && the_child(hand) == 0)
		return ESRCH;
	if (a[6].text && !share_is_ours_alone(a[6].text))
		return 0;
	for (size_t i = 0; i <= a[1].length; i++)
		argv[i] = word && i < a[1].length && strcmp(a[1].list[i], word) == 0 ? pid : a[1].list[i];
	program.argv = argv;
	program.input = input_file(&a[3], word, pid);
	if (program.input < 0)
		return errno;
	int error = run(&program, a[4].number);
	close(program.input);
	return error;
}
