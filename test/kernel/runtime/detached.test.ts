/** Containers that outlive the command that started them, judged from outside. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';

const tslab = (...args: string[]) => spawnSync(join(packageRoot, 'bin/tslab'), args, { encoding: 'utf8' });
const name = `detached-${process.pid}`;
const folder = join('/var/lib/tslab/containers', name);
const detach = (...args: string[]) => tslab('run', '-d', '--name', name, ...args);
const listed = () =>
  JSON.parse(tslab('ps', '--all', '--json').stdout).find((entry: { id: string }) => entry.id === name);
const launcherOf = (pid: number) =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));
afterEach(() => {
  tslab('rm', '--force', name);
});

test('it runs on, tells by its name what it wrote and how it ended, and is removed', () => {
  const started = detach('--', 'sh', '-c', 'echo out; echo err >&2; sleep 2; exit 3');
  expect([started.status, started.stdout, started.stderr]).toEqual([0, `${name}\n`, '']);
  expect(listed()).toMatchObject({ state: 'running' });
  expect(tslab('rm', name).stderr).toMatch(/it runs; tslab stop/);
  expect(tslab('wait', name).stdout).toBe('3\n');
  expect(tslab('logs', name).stdout).toBe('out\nerr\n');
  expect(listed()).toMatchObject({ state: 'exited', exit: { code: 3 } });
  expect(existsSync(`/run/tslab/${name}.json`)).toBe(false);
  expect(tslab('rm', name).stdout).toBe(`${name}\n`);
  expect(existsSync(folder)).toBe(false);
});

test('with --rm its end is the end of all that was its own', async () => {
  detach('--rm', '--', 'sleep', '1');
  expect(existsSync(folder)).toBe(true);
  await expect.poll(() => existsSync(`/run/tslab/${name}.ledger`), { timeout: 5000 }).toBe(false);
  expect([existsSync(folder), existsSync(`/run/tslab/${name}.json`)]).toEqual([false, false]);
});

test('logs --follow prints what is still to come, and ends with it', () => {
  detach('--', 'sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.2; done');
  expect(tslab('logs', '--follow', name).stdout).toBe('1\n2\n3\n');
});

test('its terminal is read although nobody watches', () => {
  detach('-t', '--', 'sh', '-c', 'tty; seq 20000 | tail -n 1');
  tslab('wait', name);
  expect(tslab('logs', name).stdout).toBe('/dev/pts/0\r\n20000\r\n');
});

test('a name is taken once', () => {
  detach('--', 'sleep', '100');
  expect(detach('--', 'true').stderr).toMatch(/has this name already/);
  expect(tslab('run', '--name', name, '--rootfs', '/', '--', 'true').status).not.toBe(0);
});

test('stop asks first, and waits; kill sends what it is told', () => {
  detach(
    '--',
    'sh',
    '-c',
    'trap "echo asked; exit 4" TERM; trap "echo usr" USR1; while :; do sleep 0.02; done',
  );
  spawnSync('sleep', ['0.2']);
  expect(tslab('kill', '--signal', 'usr1', name).status).toBe(0);
  spawnSync('sleep', ['0.2']);
  expect(tslab('stop', name).status).toBe(0);
  expect(tslab('logs', name).stdout).toBe('usr\nasked\n');
  expect(listed()).toMatchObject({ exit: { code: 4 } });
});

test('stop insists when the program does not listen', () => {
  detach('--', 'sleep', '100'); // PID 1 ignores a signal that it has no handler for (pid_namespaces(7))
  tslab('stop', '--time', '0.2', name);
  expect(listed()).toMatchObject({ exit: { signal: 'SIGKILL' } });
});

test('a killed launcher takes the program along, and what is left is told and removed', () => {
  detach('--', 'sleep', '100');
  const { pid } = listed();
  process.kill(launcherOf(pid), 'SIGKILL');
  expect(tslab('wait', name).stdout).toBe('unknown\n');
  expect(existsSync(`/run/tslab/${name}.ledger`)).toBe(false);
});

test('a program that is not there leaves no container', () => {
  const { status, stderr } = detach('--', 'nosuch');
  expect([status, existsSync(folder)]).toEqual([127, false]);
  expect(stderr).toMatch(/ENOENT/);
});

test('a further process joins a container with a user namespace', () => {
  // An ordinary user's, whose other namespaces open only to those who are root in the first (setns(2)).
  const home = mkdtempSync('/tmp/tslab-test-home-');
  chownSync(home, 4711, 4711);
  const asUser = (...args: string[]) =>
    spawnSync(
      'setpriv',
      ['--reuid=4711', '--regid=4711', '--clear-groups', join(packageRoot, 'bin/tslab'), ...args],
      {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, HOME: home },
      },
    );
  try {
    expect(asUser('run', '-d', '--name', name, '--', 'sleep', '100').stderr).toBe('');
    const joined = asUser('exec', name, 'sh', '-c', 'id -u; cat /proc/1/comm; readlink /proc/1/ns/user');
    const { pid } = JSON.parse(asUser('ps', '--json').stdout)[0];
    expect(joined.stdout).toBe(`0\nsleep\n${readlinkSync(`/proc/${pid}/ns/user`)}\n`);
    expect(asUser('rm', '--force', name).status).toBe(0);
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('a signal that is none is refused with what it takes', () => {
  detach('--', 'sleep', '100');
  expect(tslab('kill', '-s', 'NOSUCH', name).stderr).toMatch(/it takes a name such as TERM/);
});
