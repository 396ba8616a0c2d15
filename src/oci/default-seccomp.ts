/**
 * The system calls of a container that has no privileges on the host: what programs need to work on files, memory, processes
 * and networks of their own. All others are refused, and those that a capability is about come with the capability.
 * What is new in a kernel is refused until somebody has thought about it: as ENOSYS, so that programs fall back.
 */
import { keptCapabilities } from './default-capabilities.ts';
import type { Seccomp, SeccompRule } from './spec.ts';

const words = (text: string) => text.trim().split(/\s+/);

/** By purpose. Names that one machine alone has stand beside their kin. */
const allowed = {
  files: `access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
    fadvise64_64 arm_fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync
    flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 ioctl
    lchown lchown32 link linkat lseek _llseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat
    openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2
    rmdir sendfile sendfile64 splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range arm_sync_file_range
    sync_file_range2 syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes write writev`,
  attributes: `fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
    lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat`,
  watching: `epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 fanotify_mark
    inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
    io_pgetevents_time64 io_setup io_submit pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select _newselect signalfd
    signalfd4`,
  memory: `brk cacheflush cachestat madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mmap2
    mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages`,
  processes: `arch_prctl breakpoint capget capset execve execveat exit exit_group fork futex futex_requeue futex_time64 futex_wait
    futex_waitv futex_wake get_robust_list get_thread_area getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage
    getsid gettid ioprio_get ioprio_set landlock_add_rule landlock_create_ruleset landlock_restrict_self modify_ldt pidfd_open
    pidfd_send_signal prctl prlimit64 rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
    sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
    sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address set_tls setpgid
    setpriority setrlimit setsid sysinfo times ugetrlimit uname vfork wait4 waitid waitpid`,
  identity: `getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid
    getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32
    setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32`,
  signals: `alarm getitimer kill pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo setitimer sigaltstack sigprocmask sigreturn tgkill
    tkill`,
  time: `adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
    clock_nanosleep_time64 gettimeofday nanosleep time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
    timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`,
  messages: `mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
    msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget`,
  network: `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg
    send sendmmsg sendmsg sendto setsockopt shutdown socketpair`,
  chance: 'getrandom',
};

/** What is nobody's business without the capability that the kernel asks for; most of it reaches the host. */
const byCapability: Readonly<Record<string, string>> = {
  CAP_BPF: 'bpf',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at', // by number, past all mounts: into the host's files
  CAP_PERFMON: 'perf_event_open',
  CAP_SYS_ADMIN: `bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr mount mount_setattr move_mount open_tree open_tree_attr perf_event_open pivot_root quotactl quotactl_fd
    setdomainname sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module finit_module init_module',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYSLOG: 'syslog',
};

/** Refused to everybody as EPERM: no lack of the kernel, but shared by all on the host, or often the way into a kernel's flaws. */
const never = `add_key keyctl request_key kexec_file_load kexec_load swapoff swapon userfaultfd nfsservctl uselib ustat sysfs
  move_pages migrate_pages vm86 vm86old`;

/** All of clone(2)'s flags that ask for a namespace. */
const CLONE_NAMESPACES = 0x7e02_0000;
/** address_families(7): AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET. */
const families = [1, 2, 10, 16, 17];
/** personality(2): PER_LINUX, PER_LINUX32, and the question which it is. */
const personalities = [0, 8, 0xffff_ffff];
const errno = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 };

/** @param capabilities those that the process may ever have: its bounding set. */
export function defaultSeccomp(capabilities: readonly string[]): Seccomp {
  const groups = Object.entries(byCapability);
  const granted = groups.filter(([name]) => capabilities.includes(name)).flatMap(([, calls]) => words(calls));
  const withheld = groups.flatMap(([, calls]) => words(calls)).filter((name) => !granted.includes(name));
  const mayNamespace = capabilities.includes('CAP_SYS_ADMIN');
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: errno.ENOSYS,
    architectures: [
      'SCMP_ARCH_X86_64',
      'SCMP_ARCH_X86',
      'SCMP_ARCH_X32',
      'SCMP_ARCH_AARCH64',
      'SCMP_ARCH_ARM',
    ],
    syscalls: [
      allow([...Object.values(allowed).flatMap(words), ...granted]),
      ...(mayNamespace
        ? [allow(['clone', 'clone3'])]
        : // Its flags lie in memory, where a filter can't look; without it, libraries use clone.
          [only('clone', 'SCMP_CMP_MASKED_EQ', CLONE_NAMESPACES), refuse(['clone3'], errno.ENOSYS)]),
      ...families.map((family) => only('socket', 'SCMP_CMP_EQ', family)),
      ...personalities.map((persona) => only('personality', 'SCMP_CMP_EQ', persona)),
      refuse(['socket'], errno.EAFNOSUPPORT),
      refuse(['clone', 'personality', ...new Set(withheld), ...words(never)], errno.EPERM),
    ],
  };
}

let plain: Seccomp | undefined;

/** That of a container with the default capabilities: one object for ever, as a start has its filter ready (steps/seccomp). */
export function plainSeccomp(): Seccomp {
  plain ??= Object.freeze(defaultSeccomp(keptCapabilities));
  return plain;
}

const allow = (names: string[]): SeccompRule => ({ names, action: 'SCMP_ACT_ALLOW' });
const refuse = (names: string[], errnoRet: number): SeccompRule => ({
  names,
  action: 'SCMP_ACT_ERRNO',
  errnoRet,
});
/** Allowed with that first argument alone; MASKED_EQ: with none of its bits. */
const only = (name: string, op: string, value: number): SeccompRule => ({
  ...allow([name]),
  args: [{ index: 0, op, value }],
});
