import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const shim = join(import.meta.dirname, '../../bin/tslab');
let root: string;

/** A checkout that is set up, with scripts in place of Node and of the set-up: each says that it ran. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shim-'));
  mkdirSync(join(root, 'bin'));
  cpSync(shim, join(root, 'bin/tslab'));
  put('scripts/set-up', 'echo set-up "$@"');
  put('src/cli/main.ts', '');
  put('native/build/launch', '');
  put('dist/node', 'shift; shift; echo node "$@"');
  put('dist/set-up', '');
});
afterEach(() => rmSync(root, { recursive: true }));

test('becomes Node with the arguments as they are, and runs no set-up', () => {
  expect(tslab('run', 'a b', '*')).toMatchObject({ status: 0, stdout: 'node run a b *\n' });
});

test('works through a symlink from another directory', () => {
  symlinkSync(join(root, 'bin/tslab'), join(root, 'link'));
  const { stdout } = spawnSync(join(root, 'link'), ['ps'], { cwd: '/', encoding: 'utf8' });
  expect(stdout).toBe('node ps\n');
});

test('sets up what is missing, then goes on', () => {
  rmSync(join(root, 'native/build/launch'));
  expect(tslab('ps').stdout).toBe('set-up start\nnode ps\n');
});

test('ends with the exit code of a set-up that can not go on', () => {
  rmSync(join(root, 'dist/set-up'));
  put('scripts/set-up', 'exit 7');
  expect(tslab('ps')).toMatchObject({ status: 7, stdout: '' });
});

test('in a checkout with .git, a source newer than the build is built', () => {
  mkdirSync(join(root, '.git'));
  olderThanTheBuild();
  put('src/cli/main.ts', 'edited');
  expect(tslab('ps').stdout).toBe('set-up start\nnode ps\n');
});

test('in a checkout with .git, what the build itself makes asks for no build', () => {
  mkdirSync(join(root, '.git'));
  olderThanTheBuild();
  put('native/build/launch', 'made again');
  expect(tslab('ps').stdout).toBe('node ps\n');
});

test('without .git nobody edits here: nothing is compared', () => {
  olderThanTheBuild();
  put('src/cli/main.ts', 'edited');
  expect(tslab('ps').stdout).toBe('node ps\n');
});

/** All that is there becomes older than the stamp, and what is written after this is newer: the kernel's file clock ticks in 4 ms. */
function olderThanTheBuild(): void {
  const wait = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  wait();
  put('dist/set-up', '');
  wait();
}

function put(path: string, body: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}

function tslab(...args: string[]) {
  return spawnSync(join(root, 'bin/tslab'), args, { encoding: 'utf8' });
}
