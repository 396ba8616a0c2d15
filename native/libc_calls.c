/* One system call each, by its standard name; see libc.h. Those that arm64 lacks are spelled by their successors. */
#include "base.h"
#include "libc.h"
#ifdef OWN_LIBC
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* The kernel returns -4095…-1 for errors (syscall(2)). */
static long checked(long got)
{
	if ((unsigned long)got <= -4096UL)
		return got;
	errno = (int)-got;
	return -1;
}

#define CALL_7(name, a, b, c, d, e, f, ...) \
	checked(kernel(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))
#define CALL(...) CALL_7(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

int access(const char *path, int mode) { return CALL(faccessat, AT_FDCWD, path, mode); }
int close(int fd) { return CALL(close, fd); }
ssize_t read(int fd, void *into, size_t size) { return CALL(read, fd, into, size); }
ssize_t write(int fd, const void *from, size_t size) { return CALL(write, fd, from, size); }
ssize_t pread(int fd, void *into, size_t size, off_t at) { return CALL(pread64, fd, into, size, at); }
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) { return CALL(pwrite64, fd, from, size, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return CALL(writev, fd, parts, count); }
ssize_t sendfile(int to, int from, off_t *at, size_t size) { return CALL(sendfile, to, from, at, size); }
off_t lseek(int fd, off_t to, int from) { return CALL(lseek, fd, to, from); }
int fstat(int fd, struct stat *status) { return CALL(fstat, fd, status); }
int ftruncate(int fd, off_t size) { return CALL(ftruncate, fd, size); }
int flock(int fd, int operation) { return CALL(flock, fd, operation); }
int dup2(int from, int to) { return CALL(dup3, from, to, 0); }
int mkdirat(int dir, const char *path, mode_t mode) { return CALL(mkdirat, dir, path, mode); }
int mknodat(int dir, const char *path, mode_t mode, dev_t device) { return CALL(mknodat, dir, path, mode, device); }
int symlinkat(const char *target, int dir, const char *path) { return CALL(symlinkat, target, dir, path); }
int unlinkat(int dir, const char *path, int flags) { return CALL(unlinkat, dir, path, flags); }
int unlink(const char *path) { return CALL(unlinkat, AT_FDCWD, path, 0); }
int rmdir(const char *path) { return CALL(unlinkat, AT_FDCWD, path, AT_REMOVEDIR); }
int rename(const char *from, const char *to) { return CALL(renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); }
int chdir(const char *path) { return CALL(chdir, path); }
int fchdir(int fd) { return CALL(fchdir, fd); }
int chroot(const char *path) { return CALL(chroot, path); }
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
	return CALL(mount, source, target, type, flags, data);
}
int umount2(const char *target, int flags) { return CALL(umount2, target, flags); }
int munmap(void *at, size_t size) { return CALL(munmap, at, size); }

int execve(const char *path, char *const argv[], char *const envp[]) { return CALL(execve, path, argv, envp); }
pid_t fork(void) { return CALL(clone, SIGCHLD); }
pid_t waitpid(pid_t pid, int *status, int options) { return CALL(wait4, pid, status, options, 0); }
int waitid(idtype_t type, id_t id, siginfo_t *info, int options) { return CALL(waitid, type, id, info, options, 0); }
int kill(pid_t pid, int signal) { return CALL(kill, pid, signal); }
ssize_t readlink(const char *path, char *into, size_t size) { return CALL(readlinkat, AT_FDCWD, path, into, size); }
pid_t getpid(void) { return CALL(getpid); }
pid_t getpgid(pid_t pid) { return CALL(getpgid, pid); }
pid_t getpgrp(void) { return CALL(getpgid, 0); }
int setpgid(pid_t pid, pid_t group) { return CALL(setpgid, pid, group); }
pid_t setsid(void) { return CALL(setsid); }
mode_t umask(mode_t mask) { return CALL(umask, mask); }
int setns(int fd, int type) { return CALL(setns, fd, type); }
int unshare(int flags) { return CALL(unshare, flags); }
int sethostname(const char *name, size_t length) { return CALL(sethostname, name, length); }
int setdomainname(const char *name, size_t length) { return CALL(setdomainname, name, length); }
int clock_gettime(clockid_t clock, struct timespec *time) { return CALL(clock_gettime, clock, time); }
int nanosleep(const struct timespec *time, struct timespec *left) { return CALL(nanosleep, time, left); }

int socket(int domain, int type, int protocol) { return CALL(socket, domain, type, protocol); }
int socketpair(int domain, int type, int protocol, int pair[2])
{
	return CALL(socketpair, domain, type, protocol, pair);
}
int connect(int fd, const struct sockaddr *to, socklen_t size) { return CALL(connect, fd, to, size); }
int bind(int fd, const struct sockaddr *at, socklen_t size) { return CALL(bind, fd, at, size); }
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	return CALL(setsockopt, fd, level, name, value, size);
}
ssize_t send(int fd, const void *from, size_t size, int flags) { return CALL(sendto, fd, from, size, flags, 0, 0); }
ssize_t recv(int fd, void *into, size_t size, int flags) { return CALL(recvfrom, fd, into, size, flags, 0, 0); }
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) { return CALL(sendmsg, fd, message, flags); }
ssize_t recvmsg(int fd, struct msghdr *message, int flags) { return CALL(recvmsg, fd, message, flags); }

ssize_t sendto(int fd, const void *from, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	return CALL(sendto, fd, from, size, flags, to, to_size);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return (void *)CALL(mmap, at, size, protection, flags, fd, offset);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec time = { .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L };
	return (int)CALL(ppoll, fds, count, timeout < 0 ? NULL : &time, 0, 0);
}

/* Those with `...` in their prototypes: how many arguments there are, only the caller knows; spare ones do no harm. */
#define WITH_ARGUMENTS(last, count) \
	long a[count]; \
	va_list list; \
	va_start(list, last); \
	for (int i = 0; i < (count); i++) \
		a[i] = va_arg(list, long); \
	va_end(list)

long syscall(long number, ...)
{
	WITH_ARGUMENTS(number, 6);
	return checked(kernel(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

int open(const char *path, int flags, ...)
{
	WITH_ARGUMENTS(flags, 1);
	return (int)CALL(openat, AT_FDCWD, path, flags, a[0]);
}

int fcntl(int fd, int command, ...)
{
	WITH_ARGUMENTS(command, 1);
	return (int)CALL(fcntl, fd, command, a[0]);
}

int ioctl(int fd, unsigned long request, ...)
{
	WITH_ARGUMENTS(request, 1);
	return (int)CALL(ioctl, fd, request, a[0]);
}

int prctl(int option, ...)
{
	WITH_ARGUMENTS(option, 4);
	return (int)CALL(prctl, option, a[0], a[1], a[2], a[3]);
}

/* The kernel's signal set is 8 bytes, glibc's type has room for more (sigprocmask(2)). */
enum { SET_SIZE = 8 };
int sigprocmask(int how, const sigset_t *set, sigset_t *old) { return CALL(rt_sigprocmask, how, set, old, SET_SIZE); }
int sigwaitinfo(const sigset_t *set, siginfo_t *info) { return CALL(rt_sigtimedwait, set, info, 0, SET_SIZE); }
int signalfd(int fd, const sigset_t *set, int flags) { return CALL(signalfd4, fd, set, SET_SIZE, flags); }

/* The kernel's struct termios is the beginning of glibc's, but for room in c_cc (ioctl_tty(2)). */
int tcgetattr(int fd, struct termios *mode) { return ioctl(fd, TCGETS, mode); }
int tcsetattr(int fd, int when, const struct termios *mode) { return ioctl(fd, TCSETS + when, mode); }
int tcsetpgrp(int fd, pid_t group) { return ioctl(fd, TIOCSPGRP, &group); }

pid_t tcgetpgrp(int fd)
{
	pid_t group;
	return ioctl(fd, TIOCGPGRP, &group) < 0 ? -1 : group;
}

void cfmakeraw(struct termios *mode)
{
	mode->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	mode->c_oflag &= ~(tcflag_t)OPOST;
	mode->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	mode->c_cflag = (mode->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
	mode->c_cc[VMIN] = 1;
	mode->c_cc[VTIME] = 0;
}

#endif
