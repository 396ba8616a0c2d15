/**
 * The step kinds: what a plan can say, as one table. A kind is about one system call.
 * The same table stands in native/kinds.c (code and wire signature); a test compares the two.
 * Types (step.ts), validation, encoding and explanation are all derived from here.
 */
import type { FlagSet, NameSet } from './flags.ts';

/** Who performs a step: the launcher itself, the process it cloned, or either. */
export type Hands = 'host' | 'child' | 'both';

/**
 * The type of one field. A trailing `?` allows leaving it out.
 *
 * | type    | in TypeScript                | on the wire                                    |
 * |---------|------------------------------|------------------------------------------------|
 * | str     | string without NUL           | `s` length, bytes, NUL                         |
 * | strs    | string[]                     | `v` count, then strings                        |
 * | text    | string                       | `b` length, bytes (UTF-8)                      |
 * | bytes   | string, base64               | `b` length, bytes                              |
 * | u32     | integer                      | `u`                                            |
 * | i32     | integer, also below 0        | `u`, two's complement                          |
 * | u64     | integer below 2^53           | `U`                                            |
 * | limit   | integer or 'unlimited'       | `U`, all ones for unlimited                    |
 * | u32s    | integer[]                    | `b`                                            |
 * | bool    | boolean                      | `u`                                            |
 * | fd      | name of an opened descriptor | `f` slot number                                |
 * | as      | name given to a descriptor   | `f` slot number                                |
 * | caps    | capability names             | `U` bit mask                                   |
 * | flags:… | flag names of one set        | `U` or-ed                                      |
 * | name:…  | one name of one set          | `u`                                            |
 */
export type FieldType = BareType | `${BareType}?`;
type BareType =
  | 'str'
  | 'strs'
  | 'text'
  | 'bytes'
  | 'u32'
  | 'i32'
  | 'u64'
  | 'limit'
  | 'u32s'
  | 'bool'
  | 'fd'
  | 'as'
  | 'caps'
  | `flags:${FlagSet}`
  | `name:${NameSet}`;

export interface KindSpec {
  readonly code: number;
  readonly hands: Hands;
  readonly fields: Readonly<Record<string, FieldType>>;
}

/** Keeps the literal types of a table entry while checking its shape. */
function kind<const F extends Record<string, FieldType>>(code: number, hands: Hands, fields: F) {
  return { code, hands, fields };
}

export const kinds = {
  // birth and joining
  clone: kind(1, 'host', { flags: 'flags:clone', cgroup: 'fd?' }),
  unshare: kind(2, 'both', { flags: 'flags:clone' }),
  pidfd: kind(3, 'host', { pid: 'u32', startTime: 'u64', as: 'as' }),
  setns: kind(4, 'both', { fd: 'fd', flags: 'flags:clone' }),
  signal: kind(5, 'host', { fd: 'fd', signal: 'u32' }),
  await: kind(6, 'child', { fd: 'fd', result: 'fd?' }),
  lookup: kind(7, 'child', { program: 'str', envp: 'strs' }),

  // files; with `dir`, the path is resolved inside that directory and can't leave it. An empty path to write to is `dir` itself.
  open: kind(10, 'both', { dir: 'fd?', path: 'str', flags: 'flags:open', mode: 'u32?', as: 'as?' }),
  close: kind(11, 'both', { fd: 'fd' }),
  mkdir: kind(12, 'both', { dir: 'fd?', path: 'str', mode: 'u32', parents: 'bool?' }),
  write: kind(13, 'both', { dir: 'fd?', path: 'str', data: 'text', flags: 'flags:open?' }),
  symlink: kind(15, 'both', { dir: 'fd?', path: 'str', target: 'str' }),
  mknod: kind(16, 'both', { dir: 'fd?', path: 'str', mode: 'u32', major: 'u32', minor: 'u32' }),
  rmdir: kind(17, 'both', { dir: 'fd?', path: 'str' }),
  unlink: kind(18, 'both', { dir: 'fd?', path: 'str' }),
  rmtree: kind(19, 'both', { dir: 'fd?', path: 'str' }),

  // what the process stands on
  mount: kind(20, 'both', {
    source: 'str?',
    dir: 'fd?',
    target: 'str',
    fstype: 'str?',
    flags: 'flags:ms?',
    data: 'str?',
  }),
  umount: kind(21, 'both', { dir: 'fd?', target: 'str', flags: 'flags:mnt?' }),
  pivot_root: kind(22, 'child', { newRoot: 'str', putOld: 'str' }),
  chroot: kind(23, 'child', { path: 'str' }),
  chdir: kind(24, 'child', { dir: 'fd?', path: 'str' }),

  // mounts held by descriptor. With `dir`, an empty path is what that descriptor itself is.
  open_tree: kind(25, 'both', { dir: 'fd?', path: 'str', recursive: 'bool?', as: 'as' }),
  mount_setattr: kind(26, 'both', {
    dir: 'fd?',
    path: 'str',
    recursive: 'bool?',
    set: 'flags:attr?',
    clear: 'flags:attr?',
    propagation: 'flags:ms?',
    userns: 'fd?',
  }),
  move_mount: kind(27, 'both', { fd: 'fd', dir: 'fd?', target: 'str' }),
  userns: kind(28, 'host', { uids: 'text', gids: 'text', as: 'as' }),
  verify: kind(29, 'both', { dir: 'fd?', path: 'str', sort: 'u32', major: 'u32', minor: 'u32' }),

  // what it sees
  sethostname: kind(30, 'child', { name: 'str' }),
  setdomainname: kind(31, 'child', { name: 'str' }),
  // `pidAt`: the byte offset in the messages where the child's pid belongs, unknown until it is born
  // `alone`, here and below: a file that `share` steps lock; done only by the last of those who share it
  netlink: kind(32, 'both', { protocol: 'u32', messages: 'bytes', pidAt: 'u32?', alone: 'str?' }),

  // what the host's programs do for it, and what it shares with other containers
  // timeout in ms, 0 for none; `pidWord` stands for the child's pid, as a whole word of argv and anywhere in the input
  spawn: kind(33, 'both', {
    path: 'str',
    argv: 'strs',
    envp: 'strs',
    input: 'text',
    timeout: 'u32',
    pidWord: 'str?',
    alone: 'str?',
  }),
  share: kind(34, 'host', { path: 'str' }),

  // its terminal
  setsid: kind(40, 'child', {}),
  openpts: kind(41, 'child', { master: 'fd', as: 'as' }),
  winsize: kind(42, 'child', { fd: 'fd', rows: 'u32', columns: 'u32' }),
  handover: kind(43, 'child', { fd: 'fd' }),
  ctty: kind(44, 'child', { fd: 'fd' }),

  // what it may do
  rlimit: kind(50, 'child', { resource: 'name:rlimits', soft: 'limit', hard: 'limit' }),
  setgroups: kind(51, 'child', { gids: 'u32s' }),
  setgid: kind(52, 'child', { gid: 'u32' }),
  setuid: kind(53, 'child', { uid: 'u32' }),
  capbset: kind(54, 'child', { keep: 'caps' }),
  capset: kind(55, 'child', { effective: 'caps', permitted: 'caps', inheritable: 'caps' }),
  capambient: kind(56, 'child', { raise: 'caps' }),
  prctl: kind(57, 'both', { option: 'name:prctls', value: 'u64' }),
  umask: kind(58, 'child', { mask: 'u32' }),
  seccomp: kind(59, 'child', { program: 'bytes', flags: 'flags:seccomp?', listener: 'as?' }),
  // `parts` are one text, with the child's pid wherever one ends and the next begins
  sendfd: kind(62, 'host', { path: 'str', pass: 'fd', parts: 'strs' }),

  // how it runs
  personality: kind(63, 'child', { persona: 'u32' }),
  schedattr: kind(64, 'child', {
    policy: 'name:policies',
    flags: 'flags:sched',
    nice: 'i32',
    priority: 'u32',
    runtime: 'u64',
    deadline: 'u64',
    period: 'u64',
  }),
  ioprio: kind(65, 'child', { class: 'name:ioClasses', level: 'u32' }),
  affinity: kind(66, 'child', { cpus: 'bytes' }),
  mempolicy: kind(67, 'child', { mode: 'name:memoryModes', flags: 'flags:memory', nodes: 'bytes' }),
  keyring: kind(68, 'child', {}),

  // what it runs
  init: kind(60, 'child', {}),
  exec: kind(61, 'child', { argv: 'strs', envp: 'strs' }),

  // what a mount needs around it
  mountpoint: kind(70, 'both', { dir: 'fd?', path: 'str', file: 'bool?', like: 'fd?' }),
  mask: kind(71, 'both', { dir: 'fd?', path: 'str', fd: 'fd' }),
  chown: kind(72, 'both', { dir: 'fd?', path: 'str', uid: 'u32', gid: 'u32' }),
  copytree: kind(73, 'both', { fd: 'fd', into: 'fd', itself: 'bool?' }),

  // what its cgroup allows
  bpf: kind(80, 'host', { dir: 'fd?', path: 'str', type: 'u32', attach: 'u32', program: 'bytes' }),

  // a file system made by descriptor: opened, told its parameters one by one, mounted nowhere yet
  fsopen: kind(81, 'both', { fstype: 'str', as: 'as' }),
  fsconfig: kind(82, 'both', {
    fd: 'fd',
    command: 'name:fsCommands',
    key: 'str?',
    value: 'str?',
    handed: 'fd?',
  }),
  fsmount: kind(83, 'both', { fd: 'fd', set: 'flags:attr?', as: 'as' }),

  // what a service manager hears of it: sd_listen_fds(3), sd_notify(3)
  pidenv: kind(90, 'child', { name: 'str' }),
  listen: kind(91, 'host', { path: 'str', as: 'as' }),
  ready: kind(92, 'host', { fd: 'fd' }),
  tell: kind(93, 'host', { path: 'str', data: 'str' }),
} as const satisfies Record<string, KindSpec>;

export type Kind = keyof typeof kinds;

/** Kind names by wire code. */
export const kindByCode: ReadonlyMap<number, Kind> = new Map(
  Object.entries(kinds).map(([name, k]) => [k.code, name as Kind]),
);

/** The wire letter of a field type; see native/README.md. */
export function wireLetter(type: FieldType): 's' | 'v' | 'b' | 'u' | 'U' | 'f' {
  const bare = type.replace('?', '');
  if (bare === 'str') return 's';
  if (bare === 'strs') return 'v';
  if (bare === 'text' || bare === 'bytes' || bare === 'u32s') return 'b';
  if (bare === 'fd' || bare === 'as') return 'f';
  if (bare === 'u32' || bare === 'i32' || bare === 'bool' || bare.startsWith('name:')) return 'u';
  return 'U';
}
