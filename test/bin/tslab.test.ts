import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const shim = join(import.meta.dirname, '../../bin/tslab');
const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const snapshot = `dist/snapshot-${boot}`;
/** Says by which way it was started, and with which arguments. */
const node = `way=node
while case $1 in --*) ;; *) false ;; esac; do
  [ "$1" = --snapshot-blob ] && shift && way=snapshot
  shift
done
shift
echo $way "$@"`;
let root: string;

/** A checkout that is set up, with scripts in place of Node and of the set-up: each says that it ran. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'shim-'));
  mkdirSync(join(root, 'bin'));
  cpSync(shim, join(root, 'bin/tslab'));
  cpSync(join(import.meta.dirname, '../../scripts/start'), join(root, 'scripts/start'));
  put('scripts/set-up', 'echo set-up "$@"');
  put('src/cli/main.ts', '');
  put('native/build/launch', '');
  put('dist/node', node);
  put(snapshot, '');
  put('dist/set-up', '');
});
afterEach(() => rmSync(root, { recursive: true }));

test('becomes Node with the arguments as they are, and runs no set-up', () => {
  expect(tslab('plan', 'a b', '*')).toMatchObject({ status: 0, stdout: 'node plan a b *\n' });
});

test('the commands of the snapshot start from it', () => {
  expect(tslab('run', 'a b', '*')).toMatchObject({ status: 0, stdout: 'snapshot run a b *\n' });
});

test('a snapshot that could not be taken is an empty file: the start goes on without', () => {
  writeFileSync(join(root, snapshot), '');
  expect(tslab('run').stdout).toBe('node run\n');
});

test("flags of the user's own could make Node refuse the snapshot: the start goes on without", () => {
  expect(tslabWith({ NODE_OPTIONS: '--stack-trace-limit=20' }, 'run').stdout).toBe('node run\n');
});

test('a snapshot of an earlier start of the system is taken anew', () => {
  rmSync(join(root, snapshot));
  put('dist/snapshot-4aed85cf-0000-0000-0000-000000000000', '');
  put('scripts/set-up', `echo set-up; echo new >${root}/${snapshot}`);
  expect(tslab('ps').stdout).toBe('set-up\nsnapshot ps\n');
});

test.each([
  ['is not made', 'exit 3'],
  ['is refused', 'case $1 in --snapshot-blob) echo blob >"$2" ;; --no-rehash-snapshot) exit 14 ;; esac'],
])('a snapshot that %s leaves an empty file, and says so by its status', (_, body) => {
  rmSync(join(root, 'dist/node'));
  put('own/node', body);
  symlinkSync('../own/node', join(root, 'dist/node'));
  cpSync(join(import.meta.dirname, '../../scripts/snapshot'), join(root, 'scripts/snapshot'));
  expect(spawnSync('sh', [join(root, 'scripts/snapshot'), snapshot]).status).toBe(1);
  expect(readFileSync(join(root, snapshot), 'utf8')).toBe('');
});

test('in this checkout, the quick commands and no others are in the snapshot', () => {
  const text = readFileSync(join(import.meta.dirname, '../../src/quick.ts'), 'utf8');
  const quick = /^const commands = \{ (.*) \};$/m.exec(text)?.[1]?.split(', ');
  expect(/quick='(.*)'/.exec(readFileSync(shim, 'utf8'))?.[1]?.split(' ')).toEqual(quick);
});

test('in this checkout, a container of lesson 0 has an asker that came from the snapshot', () => {
  const script = 'read -r _ _ _ asker _ </proc/$PPID/stat; cat /proc/$asker/cmdline';
  const { stdout } = spawnSync(
    shim,
    ['run', '--lesson', 'process', '--rootfs', '/', '--', 'sh', '-c', script],
    {
      encoding: 'utf8',
    },
  );
  expect(stdout).toContain(`/${snapshot}\0`);
});

test('in this checkout, what root took works for another user, in the folders of that user', (ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  const nobody = { uid: 65534, gid: 65534 };
  const { status } = spawnSync('test', ['-x', shim], nobody);
  ctx.skip(status !== 0, 'this checkout is in a folder that other users may not enter');
  chmodSync(root, 0o777);
  const env = { PATH: process.env.PATH, XDG_RUNTIME_DIR: root };
  const args = ['run', '--lesson', 'process', '--rootfs', '/', '--', 'ls', join(root, 'tslab')];
  const { stdout, stderr } = spawnSync(shim, args, { ...nobody, env, encoding: 'utf8' });
  expect([stdout, stderr]).toEqual([
    expect.stringMatching(/^[0-9a-f]{12}\.json\n(?:[0-9a-f]{12}\.json\.new\n)?[0-9a-f]{12}\.ledger\n/),
    '',
  ]);
});

test('works through a symlink from another directory', () => {
  symlinkSync(join(root, 'bin/tslab'), join(root, 'link'));
  const { stdout } = spawnSync(join(root, 'link'), ['ps'], { cwd: '/', encoding: 'utf8' });
  expect(stdout).toBe('snapshot ps\n');
});

test('sets up what is missing, then goes on', () => {
  rmSync(join(root, 'native/build/launch'));
  expect(tslab('ps').stdout).toBe('set-up start\nsnapshot ps\n');
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
  expect(tslab('ps').stdout).toBe('set-up start\nsnapshot ps\n');
});

test('in a checkout with .git, what the build itself makes asks for no build', () => {
  mkdirSync(join(root, '.git'));
  olderThanTheBuild();
  put('native/build/launch', 'made again');
  expect(tslab('ps').stdout).toBe('snapshot ps\n');
});

test('without .git nobody edits here: nothing is compared', () => {
  olderThanTheBuild();
  put('src/cli/main.ts', 'edited');
  expect(tslab('ps').stdout).toBe('snapshot ps\n');
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
  return tslabWith({}, ...args);
}

function tslabWith(env: NodeJS.ProcessEnv, ...args: string[]) {
  const NODE_OPTIONS = undefined; // whatever the tests themselves run with
  return spawnSync(join(root, 'bin/tslab'), args, {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS, ...env },
  });
}

test('in this checkout, a command that there is not is told, with what may be meant', () => {
  const { status, stderr } = spawnSync(shim, ['rnu'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/unknown command 'rnu'\n\(Did you mean run\?\)/),
  ]);
});
