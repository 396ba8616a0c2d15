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
  ...[
    ['time.test.ts', 'this kernel has no time namespaces'],
    ['seccomp.test.ts', 'this kernel runs no 32-bit calls'],
    ['process.test.ts', 'this kernel knows no memory nodes'],
  ].map(([test = '', reason = '']) => ({
    test: `test/kernel/harden/${test}`,
    reason,
    why: 'the user-mode kernel was built without; any other runs it',
  })),
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
];
