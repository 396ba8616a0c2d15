/** containerd with tslab-oci as its runtime, by its own client. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';
import { removeCgroups } from '../../support/cgroups.ts';

const found = ['containerd', 'ctr'].every((name) => spawnSync(name, ['--version']).status === 0);
const root = process.getuid?.() === 0;
let folder: string;
let daemon: ChildProcess;

const ctr = (...args: string[]) =>
  spawnSync('ctr', ['--address', join(folder, 'socket'), ...args], { encoding: 'utf8', timeout: 25_000 });
const run = (...args: string[]) =>
  ctr('run', '--runc-binary', join(packageRoot, 'bin/tslab-oci'), '--rootfs', ...args);
const rootfs = () => join(folder, 'rootfs');

/** Killed and forgotten. */
const end = (id: string) => {
  ctr('tasks', 'rm', '--force', id);
  ctr('containers', 'rm', id);
};

beforeAll(async () => {
  if (!found || !root) return;
  folder = mkdtempSync(join(tmpdir(), 'tslab-containerd-'));
  spawnSync('cp', ['-a', `${join(packageRoot, 'dist/rootfs/default')}/.`, rootfs()]);
  const config = join(folder, 'config.toml');
  const opt = '[plugins."io.containerd.internal.v1.opt"]';
  const lines = [
    'version = 2',
    `root = "${folder}/root"`,
    `state = "${folder}/state"`,
    '[grpc]',
    `address = "${folder}/socket"`,
    opt,
    `path = "${folder}/opt"`,
  ];
  writeFileSync(config, lines.join('\n'));
  daemon = spawn('containerd', ['--config', config], { stdio: 'ignore' });
  while (ctr('version').status !== 0) await new Promise((done) => setTimeout(done, 100));
}, 30_000);
beforeEach((ctx) => {
  ctx.skip(!root, 'needs root');
  ctx.skip(!found, 'needs containerd');
});
afterAll(async () => {
  if (!daemon) return;
  const gone = new Promise((done) => daemon.once('exit', done));
  daemon.kill('SIGTERM');
  await gone;
  removeCgroups(/\/default$/);
  rmSync(folder, { recursive: true, force: true });
});

test('run: output and exit status', () => {
  expect(run('--rm', rootfs(), 'one', 'sh', '-c', 'echo hello; exit 5')).toMatchObject({
    status: 5,
    stdout: 'hello\n',
  });
});

test('a task is run, joined, paused, resumed, killed and deleted', async () => {
  const status = () => /^two\s+\d+\s+(\w+)/m.exec(ctr('tasks', 'ls').stdout)?.[1];
  expect(run('--detach', rootfs(), 'two', 'sleep', '100').status).toBe(0);
  expect(status()).toBe('RUNNING');
  expect(ctr('tasks', 'exec', '--exec-id', 'e', 'two', 'sh', '-c', 'cat /proc/1/comm; exit 6')).toMatchObject(
    {
      status: 6,
      stdout: 'sleep\n',
    },
  );
  expect(ctr('tasks', 'ps', 'two').stdout.split('\n')).toHaveLength(3);
  ctr('tasks', 'pause', 'two');
  expect(status()).toBe('PAUSED');
  ctr('tasks', 'resume', 'two');
  expect(ctr('tasks', 'metrics', 'two').status).toBe(0);
  ctr('tasks', 'kill', '--signal', 'KILL', 'two');
  await expect.poll(status).toBe('STOPPED');
  ctr('tasks', 'rm', 'two');
  expect(ctr('containers', 'rm', 'two').status).toBe(0);
  expect(existsSync('/run/containerd/runc/default/two')).toBe(false);
});

test('what an image leaves open is as with runc: HOME, and a checkpoint refused', async () => {
  expect(run('--rm', rootfs(), 'home', 'sh', '-c', 'echo $HOME').stdout).toBe('/root\n');
  run('--detach', rootfs(), 'kept', 'sleep', '100');
  const { status, stderr } = ctr('tasks', 'checkpoint', '--image-path', join(folder, 'image'), 'kept');
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/checkpoint/);
  expect(ctr('tasks', 'ls').stdout).toMatch(/^kept\s+\d+\s+RUNNING/m);
  end('kept');
});

test('a terminal: of run, and of exec', () => {
  const words = `ctr --address ${join(folder, 'socket')}`;
  const typed = (command: string) =>
    spawnSync('script', ['-qec', `stty rows 33 cols 77; exec ${words} ${command}`, '/dev/null'], {
      encoding: 'utf8',
      timeout: 25_000,
      input: '',
    });
  // ctr tells the terminal its size once the program runs.
  const script = "sh -c 'tty; sleep 1; stty size; exit 4'";
  const binary = `--runc-binary ${join(packageRoot, 'bin/tslab-oci')}`;
  const ran = typed(`run ${binary} --rm --tty --rootfs ${rootfs()} term ${script}`);
  expect(ran.stdout).toMatch(/\/dev\/pts\/0\r+\n33 77\r+\n/);
  expect(ran.status).toBe(4);
  run('--detach', rootfs(), 'host', 'sleep', '100');
  expect(typed(`tasks exec --tty --exec-id t host ${script}`).stdout).toMatch(/\/dev\/pts\/0\r+\n/);
  end('host');
});

test('a limit, its metrics, and the event when memory is out', async () => {
  const events = spawn('ctr', ['--address', join(folder, 'socket'), 'events']);
  let heard = '';
  events.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  const eats = 'sleep 1; x=; while :; do x="$x$(head -c 1000000 /dev/zero | tr "\\0" x)"; done';
  const begun = run('--detach', '--memory-limit', `${16 << 20}`, rootfs(), 'eater', 'sh', '-c', eats);
  expect(begun).toMatchObject({ status: 0, stderr: '' });
  expect(ctr('tasks', 'metrics', '--format', 'json', 'eater').stdout).toContain(`${16 << 20}`);
  await expect
    .poll(() => /^eater\s+\d+\s+(\w+)/m.exec(ctr('tasks', 'ls').stdout)?.[1], { timeout: 15_000 })
    .toBe('STOPPED');
  await expect.poll(() => heard).toContain('/tasks/oom {"container_id":"eater"}');
  events.kill();
  end('eater');
});
