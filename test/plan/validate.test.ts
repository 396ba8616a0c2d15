import { expect, test } from 'vitest';
import { type Policy, validateDrafts } from '../../src/plan/validate.ts';

const policy: Policy = { hostKinds: ['clone'], hostPaths: ['/lab/rootfs'], argv: ['sh'], envp: ['A=1'] };
const child = (step: object) => [{ at: 'child', phase: 'mounts', ...step }];

test('a well-formed stage passes', () => {
  const bind = { kind: 'mount', source: '/lab/rootfs', target: '/lab/rootfs', flags: ['MS_BIND'] };
  expect(() => validateDrafts(child(bind), policy)).not.toThrow();
});

test('what a process says of itself in /proc is its own', () => {
  const offsets = { kind: 'write', path: '/proc/self/timens_offsets', data: '' };
  expect(() => validateDrafts(child(offsets), policy)).not.toThrow();
  const host = { at: 'host', phase: 'prepare' };
  const lax = { ...policy, hostKinds: ['write', 'exec'] as const };
  expect(() => validateDrafts([{ ...offsets, ...host }], lax)).toThrow(/name the directory/);
  const beside = { kind: 'write', path: '/proc/self/timens_offsets/../mem', data: '' };
  expect(() => validateDrafts(child(beside), policy)).toThrow(/name the directory/);
});

test.each([
  ['no array', 'nonsense', /return an array/],
  ['no object', [null], /a step is an object/],
  ['a kind with a slip', child({ kind: 'mout', target: '/' }), /did you mean mount\?/],
  [
    'a flag with a slip',
    child({ kind: 'mount', target: '/', flags: ['MS_RDONLYY'] }),
    /did you mean MS_RDONLY\?/,
  ],
  ['a missing field', child({ kind: 'chdir' }), /path is missing/],
  [
    'an unknown field',
    child({ kind: 'chdir', path: '/', paht: 1 }),
    /field name is "paht"; did you mean path\?/,
  ],
  ['the wrong hand', [{ at: 'host', phase: 'root', kind: 'chroot', path: '/' }], /at is "host"/],
  ['an unknown phase', [{ at: 'child', phase: 'later', kind: 'setsid' }], /phase is "later"/],
  ['a NUL in a string', child({ kind: 'chdir', path: '/a\0b' }), /path is/],
  ['an undo in the child', child({ kind: 'setsid', undo: { kind: 'rmdir', path: '/x' } }), /only host steps/],
])('refused for everyone: %s', (_, drafts, message) => {
  expect(() => validateDrafts(drafts)).toThrow(message);
});

test.each([
  ['a file system of a disk', child({ kind: 'fsopen', fstype: 'ext4', as: 'fs' }), /fstype is "ext4"/],
  [
    'a layer by a path that nobody looks at',
    child({
      kind: 'fsconfig',
      fd: 'fs',
      command: 'FSCONFIG_SET_STRING',
      key: 'lowerdir+',
      value: '/etc',
      handed: 'layer',
    }),
    /hand its descriptor over/,
  ],
  [
    'a file system by the host hand',
    [{ at: 'host', phase: 'prepare', kind: 'fsopen', fstype: 'overlay', as: 'fs' }],
    /no business on the host hand/,
  ],
  [
    'a host path',
    child({ kind: 'mount', source: '/etc', target: '/lab', flags: ['MS_BIND'] }),
    /not of this container/,
  ],
  ['a climbing path', child({ kind: 'open', path: '/lab/rootfs/../x', flags: [] }), /not of this container/],
  ['a file written by path', child({ kind: 'write', path: '/etc/passwd', data: '' }), /name the directory/],
  [
    'a remounted superblock',
    child({ kind: 'mount', target: '/', flags: ['MS_REMOUNT', 'MS_RDONLY'] }),
    /MS_BIND beside/,
  ],
  [
    'a layered host',
    child({ kind: 'mount', target: '/', fstype: 'overlay', data: 'upperdir=/etc' }),
    /fstype/,
  ],
  [
    'a host path taken by descriptor',
    child({ kind: 'open_tree', path: '/etc', as: 'x' }),
    /not of this container/,
  ],
  ['a mask without a directory', child({ kind: 'mask', path: '/etc/passwd', fd: 'x' }), /name the directory/],
  ['a mount point without one', child({ kind: 'mountpoint', path: '/x' }), /name the directory/],
  [
    'another owner of a host file',
    child({ kind: 'chown', path: '/etc/passwd', uid: 1, gid: 1 }),
    /name the directory/,
  ],
  [
    'a user namespace of the host hand',
    [{ at: 'host', phase: 'prepare', kind: 'userns', uids: '', gids: '', as: 'x' }],
    /no business/,
  ],
  [
    'a program of the host',
    [
      {
        at: 'host',
        phase: 'prepare',
        kind: 'spawn',
        path: '/bin/sh',
        argv: ['sh'],
        envp: [],
        input: '',
        timeout: 0,
      },
    ],
    /no business/,
  ],
  [
    'a lock, which keeps others waiting',
    child({ kind: 'netlink', protocol: 0, messages: '', alone: '/run/tslab' }),
    /does not run or lock/,
  ],
  [
    'netlink that is not about links, addresses and routes',
    child({ kind: 'netlink', protocol: 12, messages: '' }),
    /speaks rtnetlink/,
  ],
  [
    'another process moved into a cgroup',
    child({ kind: 'write', dir: 'cgroup-pids', path: '', data: '1' }),
    /writes 0/,
  ],
  ['another program', child({ kind: 'exec', argv: ['rm'], envp: [] }), /config says/],
  ['a preloaded library', child({ kind: 'exec', argv: ['sh'], envp: ['LD_PRELOAD=/x'] }), /LD_PRELOAD/],
  [
    'the first place at the CPU',
    child({
      kind: 'schedattr',
      policy: 'SCHED_FIFO',
      flags: [],
      nice: 0,
      priority: 9,
      runtime: 0,
      deadline: 0,
      period: 0,
    }),
    /CPU time/,
  ],
  ['the host hand', [{ at: 'host', phase: 'prepare', kind: 'mkdir', path: '/x', mode: 0 }], /no business/],
])('refused for learners: %s', (_, drafts, message) => {
  expect(() => validateDrafts(drafts)).not.toThrow();
  expect(() => validateDrafts(drafts, policy)).toThrow(message);
});

test('a word of millions of letters is refused at once', () => {
  expect(() => validateDrafts([{ kind: 'x'.repeat(3e6) }])).toThrow(/kind is "xxx/);
});

test('a learner’s steps make, write and undo by path in the container’s own cgroups, and only there', () => {
  const room = '/sys/fs/cgroup/pids/room';
  const mayMake: Policy = { ...policy, hostKinds: ['mkdir'], trees: [room] };
  const mkdir = (path: string, undo = path) => [
    { at: 'host', phase: 'prepare', kind: 'mkdir', path, mode: 0o755, undo: { kind: 'rmdir', path: undo } },
  ];
  for (const path of [room, `${room}/inner`])
    expect(() => validateDrafts(mkdir(path), mayMake)).not.toThrow();
  for (const path of ['/sys/fs/cgroup/pids', `${room}s`, `${room}/../other`, '/room'])
    expect(() => validateDrafts(mkdir(path, room), mayMake)).toThrow(/name the directory/);
  expect(() => validateDrafts(mkdir(room, '/room'), mayMake)).toThrow(/undo/);
  const [made] = mkdir(room);
  const tidy = { ...made, undo: { kind: 'rmtree', path: room } };
  expect(() => validateDrafts([tidy], mayMake)).toThrow(/undo/);
});

test('a learner’s mount of cgroups names no program', () => {
  const mount = (data: string) => child({ kind: 'mount', target: '/x', fstype: 'cgroup', data });
  expect(() => validateDrafts(mount('cpu,cpuacct'), policy)).not.toThrow();
  expect(() => validateDrafts(mount('pids,release_agent=/x'), policy)).toThrow(/names of controllers/);
});
