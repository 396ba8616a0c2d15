/** Each step as strace(1) would print it, for `tslab plan`, the stepper and error messages. */
import type { Call, Step } from './step.ts';

type Render = { [K in Call['kind']]: (call: Extract<Call, { kind: K }>) => string };

/** One line, such as `mount("proc", "/proc", "proc", MS_NOSUID|MS_NODEV, NULL)`. Inside a rootfs, `root:` stands before the path. */
export function explainCall(call: Call): string {
  const render = calls[call.kind] as (call: Call) => string;
  return render(call);
}

/** The field and lesson behind a step, such as `pid, mounts[0]`. */
export function explainOrigin(step: Step): string {
  return step.from.field === undefined ? step.from.lesson : `${step.from.lesson}, ${step.from.field}`;
}

const q = (text: string | undefined) => (text === undefined ? 'NULL' : JSON.stringify(text));
const at = (call: { readonly dir?: string | undefined; readonly path: string }) =>
  call.dir === undefined ? q(call.path) : call.path === '' ? call.dir : `${call.dir}:${q(call.path)}`;
const or = (names: readonly string[] | undefined) => (names?.length ? names.join('|') : '0');
const octal = (mode: number) => `0${mode.toString(8)}`;

const list = (words: readonly string[], most: number) => {
  const shown = words.slice(0, most).map(q).join(', ');
  return `[${shown}${words.length > most ? `, … ${words.length - most} more` : ''}]`;
};

const caps = (names: readonly string[]) =>
  names.length === 0 ? '0' : names.length > 3 ? `${names.length} capabilities` : names.join('|');

/** rtnetlink(7): the type of each message, and the name that a message about a link begins with. */
function netlinkMessages(bytes: Buffer): string {
  const told: string[] = [];
  for (let at = 0, length = 0; at + 16 <= bytes.length; at += length) {
    length = Math.max(16, (bytes.readUInt32LE(at) + 3) & ~3);
    const type = bytes.readUInt16LE(at + 4);
    const isLink = type === 16 || type === 17;
    const named = isLink && at + 36 < bytes.length && bytes.readUInt16LE(at + 34) === 3;
    const name = named ? bytes.toString('latin1', at + 36, bytes.indexOf(0, at + 36)) : undefined;
    told.push(`${rtnetlinkTypes[type] ?? `message ${type}`}${name === undefined ? '' : ` ${q(name)}`}`);
  }
  return told.join(', ');
}

const rtnetlinkTypes: Readonly<Record<number, string>> = {
  16: 'RTM_NEWLINK',
  17: 'RTM_DELLINK',
  20: 'RTM_NEWADDR',
  24: 'RTM_NEWROUTE',
};

const size = (base64: string) => Buffer.from(base64, 'base64').length;

/** The bits of a mask, by number. */
const members = (base64: string) =>
  [...Buffer.from(base64, 'base64')]
    .flatMap((byte, i) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => 8 * i + bit),
    )
    .join(',') || 'none';
const attributes = (c: Extract<Call, { kind: 'mount_setattr' }>) => [
  ...(c.set?.length ? [`set ${or(c.set)}`] : []),
  ...(c.clear?.length ? [`clear ${or(c.clear)}`] : []),
  ...(c.propagation?.length ? [or(c.propagation)] : []),
  ...(c.userns === undefined ? [] : [`userns ${c.userns}`]),
];

const lines = (text: string) => q(text.trimEnd().replaceAll('\n', ', '));

/** inode(7), the file type. */
const sorts = new Map([
  [0o020000, 'S_IFCHR'],
  [0o060000, 'S_IFBLK'],
]);
const nodeSort = (mode: number) => sorts.get(mode) ?? octal(mode);

const calls: Render = {
  clone: (c) =>
    `clone3(${or(['CLONE_PIDFD', ...(c.cgroup === undefined ? [] : ['CLONE_INTO_CGROUP']), ...c.flags])})`,
  unshare: (c) => `unshare(${or(c.flags)})`,
  pidfd: (c) => `${c.as} = pidfd_open(${c.pid})`,
  setns: (c) => `setns(${c.fd}, ${or(c.flags)})`,
  await: (c) => `read(${c.fd}, 1)`,
  lookup: (c) => `access(${q(c.program)}, X_OK)`,
  signal: (c) => `pidfd_send_signal(${c.fd}, ${c.signal})`,
  open: (c) => `${c.as === undefined ? '' : `${c.as} = `}open(${at(c)}, ${or(c.flags)})`,
  close: (c) => `close(${c.fd})`,
  mkdir: (c) => `mkdir(${at(c)}, ${octal(c.mode)})`,
  write: (c) => `write(${at(c)}, ${q(c.data.length > 60 ? `${c.data.slice(0, 57)}…` : c.data)})`,
  symlink: (c) => `symlink(${q(c.target)}, ${at(c)})`,
  mknod: (c) => `mknod(${at(c)}, ${octal(c.mode)}, makedev(${c.major}, ${c.minor}))`,
  rmdir: (c) => `rmdir(${at(c)})`,
  unlink: (c) => `unlink(${at(c)})`,
  rmtree: (c) => `rm -r(${at(c)})`,
  mount: (c) =>
    `mount(${q(c.source)}, ${at({ ...c, path: c.target })}, ${q(c.fstype)}, ${or(c.flags)}, ${q(c.data)})`,
  umount: (c) => `umount2(${at({ ...c, path: c.target })}, ${or(c.flags)})`,
  pivot_root: (c) => `pivot_root(${q(c.newRoot)}, ${q(c.putOld)})`,
  chroot: (c) => `chroot(${q(c.path)})`,
  chdir: (c) => `chdir(${at(c)})`,
  open_tree: (c) =>
    `${c.as} = open_tree(${at(c)}, ${or(['OPEN_TREE_CLONE', ...(c.recursive ? ['AT_RECURSIVE'] : [])])})`,
  mount_setattr: (c) =>
    `mount_setattr(${at(c)}, ${c.recursive ? 'AT_RECURSIVE' : '0'}, {${attributes(c).join(', ')}})`,
  move_mount: (c) => `move_mount(${c.fd}, ${at({ ...c, path: c.target })})`,
  userns: (c) => `${c.as} = clone3(CLONE_NEWUSER), uid_map ${lines(c.uids)}, gid_map ${lines(c.gids)}`,
  verify: (c) => `fstat(${at(c)}) == ${nodeSort(c.sort)} ${c.major}:${c.minor}`,
  sethostname: (c) => `sethostname(${q(c.name)})`,
  setdomainname: (c) => `setdomainname(${q(c.name)})`,
  netlink: (c) => `sendmsg(AF_NETLINK, ${netlinkMessages(Buffer.from(c.messages, 'base64'))})`,
  spawn: (c) => `execve(${q(c.path)}, ${list(c.argv, 8)}, ${c.envp.length} variables) on the host`,
  share: (c) => `flock(${q(c.path)}, LOCK_SH)`,
  setsid: () => 'setsid()',
  openpts: (c) => `${c.as} = ioctl(${c.master}, TIOCGPTPEER)`,
  winsize: (c) => `ioctl(${c.fd}, TIOCSWINSZ, ${c.rows}x${c.columns})`,
  handover: (c) => `sendmsg(the launcher, SCM_RIGHTS ${c.fd})`,
  ctty: (c) => `ioctl(${c.fd}, TIOCSCTTY), dup2(${c.fd}, 0…2)`,
  rlimit: (c) => `setrlimit(${c.resource}, ${c.soft}, ${c.hard})`,
  setgroups: (c) => `setgroups([${c.gids.join(', ')}])`,
  setgid: (c) => `setresgid(${c.gid}, ${c.gid}, ${c.gid})`,
  setuid: (c) => `setresuid(${c.uid}, ${c.uid}, ${c.uid})`,
  capbset: (c) => `prctl(PR_CAPBSET_DROP, all but ${caps(c.keep)})`,
  capset: (c) =>
    `capset(effective ${caps(c.effective)}, permitted ${caps(c.permitted)}, inheritable ${caps(c.inheritable)})`,
  capambient: (c) => `prctl(PR_CAP_AMBIENT, ${caps(c.raise)})`,
  prctl: (c) => `prctl(${c.option}, ${c.value})`,
  umask: (c) => `umask(${octal(c.mask)})`,
  seccomp: (c) =>
    `${c.listener === undefined ? '' : `${c.listener} = `}seccomp(SECCOMP_SET_MODE_FILTER, ${or(c.flags)}, ${size(c.program) / 8} instructions)`,
  sendfd: (c) => `connect(${q(c.path)}), sendmsg(SCM_RIGHTS ${c.pass})`,
  personality: (c) => `personality(${c.persona})`,
  schedattr: (c) =>
    `sched_setattr(${[c.policy, or(c.flags), `nice ${c.nice}`, `priority ${c.priority}`, ...(c.policy === 'SCHED_DEADLINE' ? [`${c.runtime}/${c.deadline}/${c.period} ns`] : [])].join(', ')})`,
  ioprio: (c) => `ioprio_set(IOPRIO_WHO_PGRP, 0, ${c.class}, ${c.level})`,
  affinity: (c) => `sched_setaffinity(CPUs ${members(c.cpus)})`,
  mempolicy: (c) => `set_mempolicy(${[c.mode, ...c.flags].join('|')}, nodes ${members(c.nodes)})`,
  keyring: () => 'keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)',
  mountpoint: (c) =>
    `mountpoint(${at(c)}${c.like === undefined ? (c.file ? ', file' : '') : `, like ${c.like}`})`,
  mask: (c) => `mask(${at(c)}, ${c.fd})`,
  chown: (c) => `fchownat(${at(c)}, ${c.uid}, ${c.gid === 0xffff_ffff ? -1 : c.gid})`,
  copytree: (c) => `cp -a(${c.fd}, ${c.into})`,
  init: () => 'fork()',
  bpf: (c) =>
    `bpf(BPF_PROG_LOAD, ${Buffer.from(c.program, 'base64').length / 8} instructions), bpf(BPF_PROG_ATTACH, ${at(c)})`,
  fsopen: (c) => `${c.as} = fsopen(${q(c.fstype)})`,
  fsconfig: (c) =>
    `fsconfig(${[c.fd, c.command, ...(c.key === undefined ? [] : [q(c.key)]), ...(c.handed === undefined ? (c.value === undefined ? [] : [q(c.value)]) : [c.handed])].join(', ')})`,
  fsmount: (c) => `${c.as} = fsmount(${c.fd}, ${or(c.set)})`,
  pidenv: (c) => `${c.name} = getpid()`,
  listen: (c) => `${c.as} = socket(AF_UNIX, SOCK_DGRAM), bind(${q(c.path)})`,
  ready: (c) => `recv(${c.fd}, "READY=1")`,
  tell: (c) => `connect(${q(c.path)}), send(${lines(c.data)})`,
  exec: (c) => `execve(${q(c.argv[0])}, ${list(c.argv, 8)}, ${c.envp.length} variables)`,
};
