/** HOME by the container's own list of users, which may be anything. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withHome } from '../../src/runtime/home.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tslab-home-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const homeFor = (uid: number, env: string[] = []) =>
  withHome({ args: ['x'], cwd: '/', user: { uid, gid: 0 }, env }, root).env;
const LIST = 'root:x:0:0:root:/root:/bin/sh\nother:x:7:7::/srv/other:/bin/sh\nbare:x:8:8:\n';

test('it is that of the user, or the root directory', () => {
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), LIST);
  expect([0, 7, 8, 9].map((uid) => homeFor(uid))).toEqual([
    ['HOME=/root'],
    ['HOME=/srv/other'],
    ['HOME=/'],
    ['HOME=/'],
  ]);
});

test('one that the config names stays', () => {
  expect(homeFor(0, ['HOME=/x', 'A=b'])).toEqual(['HOME=/x', 'A=b']);
});

test('no way out of the rootfs: neither directory nor file is followed', () => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'passwd'), LIST);
  symlinkSync(outside, join(root, 'etc'));
  expect(homeFor(0)).toEqual(['HOME=/']);
  rmSync(join(root, 'etc'));
  mkdirSync(join(root, 'etc'));
  symlinkSync(join(outside, 'passwd'), join(root, 'etc/passwd'));
  expect(homeFor(0)).toEqual(['HOME=/']);
});
