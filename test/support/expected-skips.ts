/**
 * The tests that CI may skip. `test`: a part of "file > suite > name". `reason`: the very words of the skip. `why`: what CI's
 * machine lacks, so that a reader can tell when an entry can go.
 */
export interface ExpectedSkip {
  test: string;
  reason: string;
  why: string;
}

export const expectedSkips: ExpectedSkip[] = [
  {
    test: 'test/kernel/mount/binds.test.ts > without maps of its own a mount gets those of the user namespace',
    reason: 'this kernel maps no ids on a tmpfs',
    why: 'the user-mode kernel is older than 6.3; any newer one runs it',
  },
  {
    test: 'test/kernel/overlay/stage.test.ts > another user namespace',
    reason: 'this kernel maps no layers that are mounted nowhere',
    why: 'the user-mode kernel is older than 6.15; any newer one runs it',
  },
  {
    test: 'test/kernel/launcher.test.ts > it runs from memory that nobody can change, and little of it',
    reason: 'the sanitizers need memory of their own',
    why: 'measured with the launcher that ships; the project asan runs the rest of the test',
  },
  ...[
    ['time.test.ts', 'this kernel has no time namespaces'],
    ['seccomp.test.ts', 'this kernel runs no 32-bit calls'],
    ['process.test.ts', 'this kernel knows no memory nodes'],
    ['process.test.ts', 'this kernel gives v2 groups no real-time'],
  ].map(([test = '', reason = '']) => ({
    test: `test/kernel/harden/${test}`,
    reason,
    why: 'the user-mode kernel was built without; any other runs it',
  })),
  {
    test: 'kernel/oci/options.test.ts > ps: the table of ps(1) as it is without options',
    reason: 'this kernel tells ps(1) no boot time',
    why: 'user-mode-linux gives none; any other kernel does',
  },
  {
    test: 'kernel/net/bridge.test.ts > ',
    reason: 'this kernel translates no addresses',
    why: 'the user-mode kernel was built without nftables for IPv4; any other runs them',
  },
  {
    test: 'kernel/overlay/run-image.test.ts > on a bridge',
    reason: 'this kernel translates no addresses',
    why: 'the user-mode kernel was built without nftables for IPv4; any other runs it',
  },
  {
    test: 'kernel/net/without-bridge.test.ts > a kernel that translates no addresses',
    reason: 'this kernel translates addresses',
    why: 'only the user-mode kernel can show it',
  },
  {
    test: 'capabilities that this root lacks are left out, with a warning',
    reason: 'this root lacks no capability',
    why: 'a machine of its own gives its root all of them',
  },
  {
    test: 'what only a label module could honour is refused by name',
    reason: 'this host has a module that labels',
    why: 'distributions switch AppArmor or SELinux on',
  },
  {
    test: 'kernel/oci/systemd.test.ts > ',
    reason: 'systemd does not run here',
    why: 'test/v2/systemd.test.ts runs them where it does',
  },
  {
    test: 'kernel/oci/systemd.test.ts > an ordinary user',
    reason: 'needs a user of the machine’s own',
    why: 'no account is made on a host; test/v2/systemd.test.ts has one',
  },
  {
    test: 'kernel/oci/lifecycle.test.ts > --systemd-cgroup without systemd',
    reason: 'systemd runs here',
    why: 'only a machine without can show it',
  },
  {
    test: 'v2/systemd.test.ts > systemd, hybrid > v2: ',
    reason: 'needs cgroup v2 alone',
    why: 'that machine has v1 as well; the other one runs it',
  },
  {
    test: 'kernel/runtime/cgroup.test.ts > v2: ',
    reason: 'needs cgroup v2 alone',
    why: 'the host has v1 as well',
  },
  {
    test: 'kernel/runtime/cgroup.test.ts > v1 alone: ',
    reason: 'needs v1 and v2 to hide the latter',
    why: 'a machine with v2 only has no v1',
  },
  {
    test: 'kernel/runtime/cgroup.test.ts > a limit of a controller',
    reason: 'needs the hugetlb controller in the v2 tree',
    why: 'user-mode-linux was built without it',
  },
  {
    test: 'kernel/runtime/cgroup.test.ts > the command line: a device',
    reason: 'needs /dev/fuse',
    why: 'user-mode-linux was built without it',
  },
  {
    test: 'kernel/runtime/cgroup.test.ts > a cpuset is where it may run',
    reason: 'needs the cpuset controller',
    why: 'user-mode-linux has one CPU and was built without it',
  },
];
