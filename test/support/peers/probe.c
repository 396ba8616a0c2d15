/*
 * What a container's first process sees: one fact a line, name TAB value. Runs as the container's program; every runtime
 * is asked the same questions. Then waits for the end of its input, so that it can be looked at from outside as well.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PATHS 4096

__attribute__((format(printf, 2, 3))) static void fact(const char *name, const char *format, ...) {
  va_list values;
  va_start(values, format);
  printf("%s\t", name);
  vprintf(format, values);
  putchar('\n');
  va_end(values);
}

static const char *named(const char *format, ...) {
  static char name[PATHS];
  va_list values;
  va_start(values, format);
  vsnprintf(name, sizeof name, format, values);
  va_end(values);
  return name;
}

/* What a call gave, or its error. */
static void result(const char *name, long value) {
  if (value < 0)
    fact(name, "%s", strerrorname_np(errno));
  else
    fact(name, "%ld", value);
}

/* Each line of a file as a fact of its own: name[number], or name.key when `separator` ends a key. */
static void lines(const char *name, const char *path, const char *separator) {
  FILE *file = fopen(path, "re");
  if (!file)
    return fact(name, "%s", strerrorname_np(errno));
  char line[PATHS];
  for (int i = 0; fgets(line, sizeof line, file); i++) {
    line[strcspn(line, "\n")] = '\0';
    char *end = separator ? strstr(line, separator) : NULL;
    if (!end) {
      fact(named("%s[%d]", name, i), "%s", line);
      continue;
    }
    *end = '\0';
    fact(named("%s.%s", name, line), "%s", end + strlen(separator));
  }
  fclose(file);
}

static void entry(const char *name, const char *path) {
  struct stat st;
  if (lstat(path, &st) < 0)
    return fact(name, "%s", strerrorname_np(errno));
  char type[2] = { "?pc?d?b?-?l?s???"[(st.st_mode >> 12) & 15] };
  char target[PATHS] = "";
  if (S_ISLNK(st.st_mode))
    target[readlink(path, target, sizeof target - 1)] = '\0';
  int device = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
  fact(name, "%s %04o %d:%d %d:%d %s", type, st.st_mode & 07777, st.st_uid, st.st_gid,
       device ? (int)major(st.st_rdev) : 0, device ? (int)minor(st.st_rdev) : 0, target);
}

static void directory(const char *name, const char *path) {
  DIR *dir = opendir(path);
  if (!dir)
    return fact(name, "%s", strerrorname_np(errno));
  for (struct dirent *one; (one = readdir(dir));) {
    if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0)
      continue;
    char child[PATHS];
    snprintf(child, sizeof child, "%s/%s", path, one->d_name);
    entry(named("%s.%s", name, one->d_name), child);
  }
  closedir(dir);
}

static void identity(int argc, char **argv, char **envp) {
  char text[PATHS];
  struct utsname names;
  for (int i = 0; i < argc; i++)
    fact(named("argv[%d]", i), "%s", argv[i]);
  for (int i = 0; envp[i]; i++)
    fact(named("env[%d]", i), "%s", envp[i]);
  fact("cwd", "%s", getcwd(text, sizeof text));
  uname(&names);
  fact("hostname", "%s", names.nodename);
  fact("domainname", "%s", names.domainname);
  fact("pid", "%d, parent %d, group %d, session %d", getpid(), getppid(), getpgrp(), getsid(0));
  for (int fd = 0; fd < 3; fd++)
    fact(named("tty[%d]", fd), "%d", isatty(fd));
  for (int fd = 0; fd < 1024; fd++) {
    struct stat st;
    if (fstat(fd, &st) == 0)
      fact(named("fd[%d]", fd), "type %o, flags %o", st.st_mode >> 12, fcntl(fd, F_GETFD));
  }
}

static void powers(void) {
  lines("status", "/proc/self/status", ":\t");
  lines("limits", "/proc/self/limits", "  ");
  result("personality", personality(0xffffffff));
  result("scheduler", sched_getscheduler(0));
  errno = 0;
  result("nice", getpriority(PRIO_PROCESS, 0) + 20);
  result("ioprio", syscall(SYS_ioprio_get, 1, 0));
  result("dumpable", prctl(PR_GET_DUMPABLE));
  result("securebits", prctl(PR_GET_SECUREBITS));
  result("keepcaps", prctl(PR_GET_KEEPCAPS));
  result("timerslack", prctl(PR_GET_TIMERSLACK));
  int signal = 0, subreaper = 0;
  prctl(PR_GET_PDEATHSIG, &signal);
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  fact("pdeathsig", "%d", signal);
  fact("subreaper", "%d", subreaper);
  lines("oom_score_adj", "/proc/self/oom_score_adj", NULL);
  lines("coredump_filter", "/proc/self/coredump_filter", NULL);
  char key[PATHS] = "";
  if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, key, sizeof key - 1) < 0)
    fact("keyring", "%s", strerrorname_np(errno));
  else
    fact("keyring", "%s", key);
}

static void files(void) {
  lines("mountinfo", "/proc/self/mountinfo", NULL);
  lines("cgroup", "/proc/self/cgroup", NULL);
  directory("ns", "/proc/self/ns");
  directory("dev", "/dev");
  directory("root", "/");
  lines("sysctl.ping_group_range", "/proc/sys/net/ipv4/ping_group_range", NULL);
  lines("sysctl.msgmax", "/proc/sys/kernel/msgmax", NULL);
  lines("net", "/proc/net/dev", ":");
  int door = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq lo = { .ifr_name = "lo" };
  fact("net.lo.flags", "%x", ioctl(door, SIOCGIFFLAGS, &lo) < 0 ? 0 : lo.ifr_flags);
  close(door);
}

/* Masked: nothing in it. Read-only: access(2) says EROFS. */
static void path(const char *path) {
  char byte;
  struct stat st;
  if (stat(path, &st) < 0)
    return fact(named("path.%s", path), "%s", strerrorname_np(errno));
  int count = 0;
  DIR *dir = opendir(path);
  while (dir && readdir(dir))
    count++;
  int fd = dir ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  long got = fd < 0 ? 0 : read(fd, &byte, 1);
  const char *writable = access(path, W_OK) < 0 ? strerrorname_np(errno) : "writable";
  fact(named("path.%s", path), "%s %s %s", dir ? "directory" : S_ISCHR(st.st_mode) ? "device" : "file",
       (dir ? count > 2 : got > 0) ? "filled" : "empty", writable);
}

/* Calls that the config's seccomp part answers in different ways. */
static void calls(void) {
  int pair[2];
  result("call.unshare", unshare(CLONE_NEWUTS) < 0 ? -1 : 0);
  result("call.personality", personality(PER_LINUX32));
  result("call.socket", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
  result("call.vsock", socket(AF_VSOCK, SOCK_STREAM, 0) < 0 ? -1 : 0);
  result("call.add_key", syscall(SYS_add_key, "user", "tslab", "x", 1, KEY_SPEC_PROCESS_KEYRING) < 0 ? -1 : 0);
  result("call.mknod", mknod("/tslab-fifo", S_IFIFO | 0600, 0));
  result("call.sethostname", sethostname("other", 5));
  result("call.unknown", syscall(1000));
}

int main(int argc, char **argv, char **envp) {
  char rest[256];
  identity(argc, argv, envp);
  powers();
  files();
  for (int i = 1; i < argc; i++)
    path(argv[i]);
  calls();
  puts("end");
  fflush(stdout);
  while (read(0, rest, sizeof rest) > 0)
    ;
  return 0;
}
