/** The default profile: what is blocked, what a capability brings, and that its filter is kept up to date. */
import { expect, test } from 'vitest';
import { defaultSeccomp, plainSeccomp } from '../../src/oci/default-seccomp.ts';
import type { Seccomp } from '../../src/oci/spec.ts';
import { abiOf } from '../../src/steps/seccomp/abi.ts';
import { compile } from '../../src/steps/seccomp/compile.ts';
import readyPrograms from '../../src/steps/seccomp/default-program.ts';
import { runFilter } from '../steps/seccomp/interpreter.ts';

const words = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'];
const errno = (number: number) => 0x50000 + number;
const ALLOW = 0x7fff0000;

/** The answers of all five ABIs that have such a call. */
function answers(seccomp: Seccomp, name: string, first = 0n): number[] {
  return words.flatMap((word) => {
    const machine = /ARM|AARCH/.test(word) ? 'arm64' : 'x64';
    const abi = abiOf(word, machine);
    const number = typeof abi === 'object' ? abi.numbers.get(name) : undefined;
    if (typeof abi !== 'object' || number === undefined) return [];
    const call = { nr: abi.base + number, arch: abi.audit, args: [first, 0n, 0n, 0n, 0n, 0n] };
    return [runFilter(compile(seccomp, machine), call)];
  });
}
const plain = plainSeccomp();

test.each(['x64', 'arm64'] as const)(
  'the ready filter for %s is the profile’s (else: node scripts/default-filter.ts)',
  (machine) => {
    expect(readyPrograms[machine]).toBe(compile(plain, machine).toString('base64'));
  },
);

test.each(
  `keyctl add_key request_key bpf mount umount2 pivot_root setns unshare ptrace process_vm_readv kexec_load kexec_file_load reboot
  swapon swapoff init_module finit_module delete_module open_by_handle_at userfaultfd perf_event_open acct iopl ioperm
  settimeofday clock_settime move_mount fsopen fsmount open_tree mount_setattr quotactl syslog vhangup kcmp lookup_dcookie
  nfsservctl mbind move_pages personality sethostname setdomainname fanotify_init`.split(/\s+/),
)('%s is refused', (name) => {
  const said = answers(plain, name, name === 'personality' ? 0x40000n : 0n);
  expect(said.length).toBeGreaterThan(0);
  expect([...new Set(said)]).toEqual([errno(1)]);
});

test.each(['io_uring_setup', 'clone3', 'vmsplice', 'memfd_secret', 'statmount'])(
  '%s is as if the kernel had it not',
  (name) => {
    expect([...new Set(answers(plain, name))]).toEqual([errno(38)]);
  },
);

test.each([
  'read',
  'openat',
  'execve',
  'clone',
  'chroot',
  'futex',
  'rseq',
  'bind',
  'rt_sigreturn',
  'getrandom',
  'prctl',
])('%s is allowed', (name) => {
  expect([...new Set(answers(plain, name))]).toEqual([ALLOW]);
});

test('a new namespace takes CAP_SYS_ADMIN, by every flag of clone', () => {
  for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n]) {
    expect(new Set(answers(plain, 'clone', flag | 17n))).toEqual(new Set([errno(1)]));
    expect(new Set(answers(defaultSeccomp(['CAP_SYS_ADMIN']), 'clone', flag))).toEqual(new Set([ALLOW]));
  }
});

test('sockets of the usual families only; on x86 not through socketcall either', () => {
  for (const family of [1n, 2n, 10n, 16n, 17n])
    expect(new Set(answers(plain, 'socket', family))).toEqual(new Set([ALLOW]));
  for (const family of [38n, 40n, 21n])
    expect(new Set(answers(plain, 'socket', family))).toEqual(new Set([errno(97)]));
  expect(answers(plain, 'socketcall', 1n)).toEqual([errno(97)]);
  expect(answers(plain, 'socketcall', 3n)).toEqual([ALLOW]);
});

test.each([
  ['CAP_SYS_ADMIN', 'mount'],
  ['CAP_SYS_ADMIN', 'clone3'],
  ['CAP_SYS_PTRACE', 'ptrace'],
  ['CAP_SYS_MODULE', 'finit_module'],
  ['CAP_SYS_TIME', 'clock_settime'],
  ['CAP_DAC_READ_SEARCH', 'open_by_handle_at'],
  ['CAP_BPF', 'bpf'],
])('%s brings %s', (capability, name) => {
  expect(new Set(answers(defaultSeccomp([capability]), name))).toEqual(new Set([ALLOW]));
  expect(answers(plain, name)).not.toContain(ALLOW);
});
