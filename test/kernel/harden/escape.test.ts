/** What a program could do to get out, or up: each attempt works without its shackle, or it would prove nothing. */
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { probe as probeFacts } from '../../../src/index.ts';
import type { Spec } from '../../../src/oci/spec.ts';
import { call, Lab } from '../../support/container.ts';

const isRoot = process.getuid?.() === 0;
let lab: Lab;
beforeAll(() => {
  if (!isRoot) return;
  lab = new Lab();
  lab.addProbe();
  const setuid = join(lab.rootfs, 'setuid-probe');
  copyFileSync(join(lab.rootfs, 'probe'), setuid);
  chmodSync(setuid, 0o4755);
});
afterAll(() => lab?.[Symbol.asyncDispose]());
beforeEach((ctx) => ctx.skip(!isRoot, 'needs root'));

const results = async (args: string[], change?: (spec: Spec) => void) =>
  (await lab.run(args, change)).out.trim().split('\n').map(Number);
const withoutFilter = (spec: Spec) => {
  delete spec.linux?.seccomp;
};
const withCapability = (name: string) => (spec: Spec) => {
  withoutFilter(spec);
  for (const set of ['bounding', 'effective', 'permitted'] as const)
    spec.process?.capabilities?.[set]?.push(name);
};
const EPERM = -1;
const NEWUSER_NEWNS = 0x10020000;

test('a user namespace of one’s own, and in it all capabilities: the filter', async () => {
  const attempt = ['/probe', call('unshare', NEWUSER_NEWNS), call('mount', 'x', '/tmp', 'tmpfs', 0, 0)];
  expect(await results(attempt, withoutFilter)).toEqual([0, 0]);
  expect(await results(attempt)).toEqual([EPERM, EPERM]);
});

test('the same by clone', async () => {
  const attempt = ['/probe', call('clone', NEWUSER_NEWNS | 17, 0, 0, 0, 0)];
  expect((await results(attempt, withoutFilter)).some((pid) => pid > 0)).toBe(true);
  expect(await results(attempt)).toEqual([EPERM]);
});

test('a setuid program: no_new_privs', async () => {
  const attempt = ['/setuid-probe', call('geteuid')];
  const user = (noNewPrivileges: boolean) => (spec: Spec) => {
    Object.assign(spec.process ?? {}, { user: { uid: 1000, gid: 1000 }, noNewPrivileges });
  };
  expect(await results(attempt, user(false))).toEqual([0]);
  expect(await results(attempt, user(true))).toEqual([1000]);
});

test('a device node for the host’s memory: capabilities', async (ctx) => {
  ctx.skip(!probeFacts().capabilities.includes('CAP_MKNOD'), 'this root lacks CAP_MKNOD');
  const attempt = ['/probe', call('mknod', '/mem', 0o20600, 0x101)];
  expect(await results(attempt, withoutFilter)).toEqual([EPERM]);
  expect(await results(attempt, withCapability('CAP_MKNOD'))).toEqual([0]);
});

test('a file of the host by its number: the filter', async () => {
  // A handle of no file: EPERM says "not you", any other answer "not that one" (open_by_handle_at(2)).
  const attempt = ['/probe', call('open_by_handle_at', -100, '@', 0)];
  expect(await results(attempt)).toEqual([EPERM]);
  const [got = EPERM] = await results(attempt, withCapability('CAP_DAC_READ_SEARCH'));
  expect(got).not.toBe(EPERM);
});

test.each([
  ['keys of others on the host', 'keyctl', [0, -3, 0]],
  ['a look into another process', 'ptrace', [0, 0, 0, 0]],
  ['a trap for the kernel’s page faults', 'userfaultfd', [1]],
] as const)('%s: the filter', async (_, name, args) => {
  const attempt = ['/probe', call(name, ...args)];
  expect(await results(attempt)).toEqual([EPERM]);
  const [got = EPERM] = await results(attempt, withoutFilter);
  expect(got).not.toBe(EPERM);
});
