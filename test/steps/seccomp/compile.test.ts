/** Filters against the config's own words: an interpreter runs the program, a plain reading of the rules says what it should be. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/oci/parse-config.ts';
import type { Seccomp, SeccompRule } from '../../../src/oci/spec.ts';
import { abiOf, type Machine } from '../../../src/steps/seccomp/abi.ts';
import { compile } from '../../../src/steps/seccomp/compile.ts';
import { runFilter } from './interpreter.ts';

const [ALLOW, ERRNO, KILL_PROCESS] = [0x7fff0000, 0x00050000, 0x80000000];
const X86_64 = 0xc000003e;
const none = [0n, 0n, 0n, 0n, 0n, 0n];

/** The answer of the whole filter to one call. */
function answer(
  seccomp: Seccomp,
  name: string,
  args: bigint[] = none,
  word = 'SCMP_ARCH_X86_64',
  machine: Machine = 'x64',
) {
  const abi = abiOf(word, machine);
  if (typeof abi !== 'object') throw new Error(word);
  return runFilter(compile(seccomp, machine), {
    nr: abi.base + (abi.numbers.get(name) ?? -1),
    arch: abi.audit,
    args,
  });
}
const allowing = (...syscalls: SeccompRule[]): Seccomp => ({ defaultAction: 'SCMP_ACT_ERRNO', syscalls });
const rule = (
  name: string,
  op: string,
  value: number | string,
  valueTwo: number | string = 0,
): SeccompRule => ({
  names: [name],
  action: 'SCMP_ACT_ALLOW',
  args: [{ index: 2, op: `SCMP_CMP_${op}`, value, valueTwo }],
});

test.each([
  ['SCMP_ACT_KILL', 0],
  ['SCMP_ACT_KILL_THREAD', 0],
  ['SCMP_ACT_KILL_PROCESS', KILL_PROCESS],
  ['SCMP_ACT_TRAP', 0x00030000],
  ['SCMP_ACT_ERRNO', ERRNO + 1], // "If not specified its default value is EPERM."
  ['SCMP_ACT_TRACE', 0x7ff00001],
  ['SCMP_ACT_ALLOW', ALLOW],
  ['SCMP_ACT_LOG', 0x7ffc0000],
  ['SCMP_ACT_NOTIFY', 0x7fc00000],
])('%s', (action, value) => {
  expect(
    answer({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getcwd'], action }] }, 'getcwd'),
  ).toBe(value);
  expect(answer({ defaultAction: action }, 'getcwd')).toBe(value);
});

test('errnos: of a rule, of the default', () => {
  const seccomp: Seccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    syscalls: [{ names: ['chmod'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 }],
  };
  expect([answer(seccomp, 'chmod'), answer(seccomp, 'read')]).toEqual([ERRNO + 13, ERRNO + 38]);
});

test.each<[Seccomp, RegExp]>([
  [{ defaultAction: 'SCMP_ACT_NOPE' }, /linux\.seccomp\.defaultAction is "SCMP_ACT_NOPE"/],
  [{ defaultAction: 'constructor' }, /defaultAction/],
  [
    { defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 },
    /defaultErrnoRet: SCMP_ACT_ALLOW returns no errno/,
  ],
  [allowing({ names: ['read'], action: 'SCMP_ACT_KILL', errnoRet: 1 }), /syscalls\[0\]\.errnoRet/],
  [allowing({ names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 4096 }), /0 to 4095/],
  [allowing({ names: [], action: 'SCMP_ACT_ALLOW' }), /syscalls\[0\]\.names/],
  [allowing(rule('read', 'ALMOST', 1)), /args\[0\]\.op is "SCMP_CMP_ALMOST"/],
  [allowing({ ...rule('read', 'EQ', 1), args: [{ index: 6, op: 'SCMP_CMP_EQ', value: 1 }] }), /index is 6/],
  [allowing(rule('read', 'EQ', 2 ** 60)), /above 2\^53 as a string/],
  [allowing(rule('read', 'EQ', '18446744073709551616')), /args\[0\]\.value/],
  [{ ...allowing(), architectures: ['SCMP_ARCH_VAX'] }, /"SCMP_ARCH_VAX" is no architecture/],
])('refused by name: %j', (seccomp, message) => {
  expect(() => compile(seccomp, 'x64')).toThrow(message);
});

test('names that the tables do not know are passed over', () => {
  expect(answer(allowing({ names: ['no_such_call', 'read'], action: 'SCMP_ACT_ALLOW' }), 'read')).toBe(ALLOW);
});

test('a foreign machine is killed, and so is x32 that nobody listed; a call that a tracer cancelled is not', () => {
  const program = compile({ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_MIPS'] }, 'x64');
  const run = (arch: number, nr: number) => runFilter(program, { nr, arch, args: none });
  expect([run(0x40000003, 0), run(8, 0), run(X86_64, 0x40000000)]).toEqual(Array(3).fill(KILL_PROCESS));
  expect([run(X86_64, 0), run(X86_64, -1)]).toEqual([ALLOW, ALLOW]);
});

test('each architecture by its own numbers', () => {
  const seccomp = {
    ...allowing({ names: ['getpid'], action: 'SCMP_ACT_ALLOW' }),
    architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_ARM'],
  };
  for (const word of ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']) {
    expect(answer(seccomp, 'getpid', none, word)).toBe(ALLOW);
    expect(answer(seccomp, 'getppid', none, word)).toBe(ERRNO + 1);
  }
  for (const word of ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'])
    expect(answer(seccomp, 'getpid', none, word, 'arm64')).toBe(ALLOW);
});

test('on x86, a rule for socket holds for socketcall, and one for shmget for ipc', () => {
  const seccomp: Seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86'],
    syscalls: [{ names: ['socket', 'shmget'], action: 'SCMP_ACT_ERRNO' }],
  };
  const ask = (name: string, first: bigint) =>
    answer(seccomp, name, [first, 0n, 0n, 0n, 0n, 0n], 'SCMP_ARCH_X86');
  expect([ask('socket', 0n), ask('socketcall', 1n), ask('ipc', 23n), ask('ipc', 0x10017n)]).toEqual(
    Array(4).fill(ERRNO + 1),
  );
  expect([ask('socketcall', 2n), ask('ipc', 24n)]).toEqual([ALLOW, ALLOW]);
});

test('the first rule that matches decides; conditions of one rule all hold; on one argument they are alternatives', () => {
  const seccomp = allowing(
    { ...rule('read', 'EQ', 1), action: 'SCMP_ACT_TRAP' },
    rule('read', 'LT', 3),
    {
      names: ['write'],
      action: 'SCMP_ACT_ALLOW',
      args: [
        { index: 0, op: 'SCMP_CMP_EQ', value: 1 },
        { index: 2, op: 'SCMP_CMP_EQ', value: 2 },
      ],
    },
    {
      names: ['open'],
      action: 'SCMP_ACT_ALLOW',
      args: [5, 7].map((value) => ({ index: 1, op: 'SCMP_CMP_EQ', value })),
    },
  );
  const ask = (name: string, ...args: bigint[]) =>
    answer(seccomp, name, [...args, ...none].slice(0, 6)) & 0x7fff0000;
  expect([ask('read', 0n, 0n, 1n), ask('read', 0n, 0n, 2n), ask('read', 0n, 0n, 3n)]).toEqual([
    0x30000,
    ALLOW,
    ERRNO,
  ]);
  expect([ask('write', 1n, 9n, 2n), ask('write', 1n, 9n, 3n), ask('write', 0n, 9n, 2n)]).toEqual([
    ALLOW,
    ERRNO,
    ERRNO,
  ]);
  expect([ask('open', 0n, 5n), ask('open', 0n, 7n), ask('open', 0n, 6n)]).toEqual([ALLOW, ALLOW, ERRNO]);
});

test('a value above 2^53 arrives as it was written', () => {
  const text = `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW",
    "args": [{"index": 2, "op": "SCMP_CMP_EQ", "value": 18446744073709551615}]}]}}}`;
  const seccomp = parseConfig(text).linux?.seccomp as Seccomp;
  expect(answer(seccomp, 'read', [0n, 0n, 2n ** 64n - 1n, 0n, 0n, 0n])).toBe(ALLOW);
  expect(answer(seccomp, 'read', [0n, 0n, 2n ** 64n - 2n, 0n, 0n, 0n])).toBe(ERRNO + 1);
});

// Values near each other and near the halves' edges: where comparisons go wrong.
const edge = [
  0n,
  1n,
  2n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x100000001n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const value = fc.oneof(fc.constantFrom(...edge), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const names = [
  'read',
  'write',
  'open',
  'clone',
  'socket',
  'mount',
  'io_uring_setup',
  'openat2',
  'personality',
];
const actions = {
  SCMP_ACT_ALLOW: ALLOW,
  SCMP_ACT_ERRNO: ERRNO + 1,
  SCMP_ACT_TRAP: 0x30000,
  SCMP_ACT_LOG: 0x7ffc0000,
};
const anyAction = fc.constantFrom(...(Object.keys(actions) as (keyof typeof actions)[]));
const operators = {
  NE: (arg: bigint, a: bigint) => arg !== a,
  LT: (arg: bigint, a: bigint) => arg < a,
  LE: (arg: bigint, a: bigint) => arg <= a,
  EQ: (arg: bigint, a: bigint) => arg === a,
  GE: (arg: bigint, a: bigint) => arg >= a,
  GT: (arg: bigint, a: bigint) => arg > a,
  MASKED_EQ: (arg: bigint, mask: bigint, b: bigint) => (arg & mask) === b,
};
const anyArg = fc.record({
  index: fc.nat(5),
  op: fc.constantFrom(...(Object.keys(operators) as (keyof typeof operators)[])),
  value: value.map(String),
  valueTwo: value.map(String),
});
const anyRule = fc.record({
  names: fc.subarray(names, { minLength: 1 }),
  action: anyAction,
  args: fc.uniqueArray(anyArg, { maxLength: 3, selector: ({ index }) => index }),
});

test('any rules, any call: the program says what the rules say', () => {
  const words = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] as const;
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 60 }),
      anyAction,
      fc.array(
        fc.tuple(
          fc.constantFrom(...words),
          fc.constantFrom(...names, 'getpid'),
          fc.tuple(value, value, value, value, value, value),
        ),
        {
          minLength: 20,
          maxLength: 20,
        },
      ),
      (rules, defaultAction, calls) => {
        const syscalls = rules.map((one) => ({
          ...one,
          args: one.args.map((arg) => ({ ...arg, op: `SCMP_CMP_${arg.op}` })),
        }));
        const program = compile({ defaultAction, architectures: [...words], syscalls }, 'x64');
        for (const [word, name, given] of calls) {
          const abi = abiOf(word, 'x64');
          if (typeof abi !== 'object') throw new Error(word);
          const narrow = word === 'SCMP_ARCH_X86';
          const low = (one: string | bigint) => (narrow ? BigInt.asUintN(32, BigInt(one)) : BigInt(one));
          const decisive = rules.find(
            (one) =>
              one.names.includes(name) &&
              one.args.every(({ index, op, value, valueTwo }) =>
                operators[op](low(given[index] ?? 0n), low(value), low(valueTwo)),
              ),
          );
          const nr = abi.base + (abi.numbers.get(name) ?? 0);
          expect(runFilter(program, { nr, arch: abi.audit, args: given })).toBe(
            actions[decisive?.action ?? defaultAction],
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});
