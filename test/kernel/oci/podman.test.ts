/** podman with tslab-oci as its runtime: what people do with an engine every day. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';
import { removeCgroups } from '../../support/cgroups.ts';

let folder: string;
/** podman keeps the namespaces that it makes in a mount of its own, and never takes that away. */
const netns = () => readFileSync('/proc/self/mountinfo', 'utf8').includes(' /run/netns ');
const hadNetns = netns();
const found = spawnSync('podman', ['--version']).status === 0;
const root = process.getuid?.() === 0;

function podman(...args: string[]) {
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const runtime = ['--runtime', join(packageRoot, 'bin/tslab-oci'), '--cgroup-manager', 'cgroupfs'];
  const { status, stdout, stderr } = spawnSync('podman', [...store, ...runtime, ...args], {
    encoding: 'utf8',
    timeout: 25_000,
  });
  return { status, stdout, stderr };
}
/** Its own limits are above those of a root without CAP_SYS_RESOURCE. */
const common = ['--network', 'none', '--ulimit', 'nofile=512:512', '--ulimit', 'nproc=512:512'];
const run = (...args: string[]) => podman('run', '--rm', ...common, ...args);

beforeAll(() => {
  if (!found || !root) return;
  folder = mkdtempSync(join(tmpdir(), 'tslab-podman-'));
  const tar = spawnSync('tar', ['-C', join(packageRoot, 'dist/rootfs/default'), '-c', '.'], {
    maxBuffer: 1 << 28,
  });
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  spawnSync('podman', [...store, 'import', '-', 'box'], { input: tar.stdout });
});
beforeEach((ctx) => {
  ctx.skip(!root, 'needs root');
  ctx.skip(!found, 'needs podman');
});
afterAll(() => {
  if (!folder) return;
  podman('rm', '--all', '--force', '--time', '0');
  removeCgroups(/\/libpod_parent/);
  if (!hadNetns && netns()) spawnSync('umount', ['/run/netns']);
  rmSync(folder, { recursive: true, force: true });
});

test('run: output, exit status, standard input', () => {
  expect(run('box', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toMatchObject({
    status: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('a program that is not there is 127, one that is none is 126', () => {
  expect(run('box', 'nosuch').status).toBe(127);
  expect(run('box', '/etc/passwd').status).toBe(126);
});

test('a terminal', () => {
  expect(run('--tty', 'box', 'sh', '-c', 'tty; test -t 0 && echo yes').stdout).toBe('/dev/pts/0\r\nyes\r\n');
});

test('in the background: logs, exec, top, pause, stop', () => {
  const script = 'echo up; trap "echo down; exit 3" TERM; while :; do sleep 0.05; done';
  podman('run', '--detach', '--name', 'web', ...common, 'box', 'sh', '-c', script);
  expect(
    podman(
      'exec',
      '--env',
      'A=b',
      '--user',
      '1000',
      '--workdir',
      '/tmp',
      'web',
      'sh',
      '-c',
      'echo $A; id -u; pwd',
    ),
  ).toMatchObject({
    status: 0,
    stdout: 'b\n1000\n/tmp\n',
  });
  expect(podman('exec', '--tty', 'web', 'tty').stdout).toMatch(/^\/dev\/pts\/\d+\r\n$/);
  expect(podman('exec', 'web', 'sh', '-c', 'exit 9').status).toBe(9);
  expect(podman('top', 'web', 'pid', 'args').stdout).toMatch(/^1\s+sh -c echo up/m);
  expect(podman('pause', 'web').status).toBe(0);
  expect(podman('inspect', '--format', '{{.State.Status}}', 'web').stdout).toBe('paused\n');
  expect(podman('unpause', 'web').status).toBe(0);
  expect(podman('stop', 'web').status).toBe(0);
  expect(podman('inspect', '--format', '{{.State.ExitCode}}', 'web').stdout).toBe('3\n');
  expect(podman('logs', 'web').stdout).toBe('up\ndown\n');
  expect(podman('start', 'web').status).toBe(0);
  expect(podman('kill', '--signal', 'KILL', 'web').status).toBe(0);
  expect(podman('rm', '--force', 'web').status).toBe(0);
});

test('limits, as the container sees them', () => {
  const see =
    'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max';
  expect(run('--memory', '64m', '--pids-limit', '55', 'box', 'sh', '-c', see).stdout).toBe('67108864\n55\n');
});

test('a read-only root, a volume, capabilities, a user, a host name', () => {
  const script = 'touch /x 2>&1; head -n 1 /mnt/passwd; grep CapEff /proc/self/status; hostname; id -u';
  const { stdout } = run(
    '--read-only',
    '--volume',
    '/etc:/mnt:ro',
    '--cap-drop',
    'all',
    '--cap-add',
    'net_raw',
    '--hostname',
    'me',
    'box',
    'sh',
    '-c',
    script,
  );
  expect(stdout).toMatch(/Read-only file system\nroot:.*\nCapEff:\t0000000000002000\nme\n0\n/);
});

test('its own seccomp profile, and none', () => {
  const read = ['box', 'grep', '^Seccomp:', '/proc/self/status'];
  expect(run(...read).stdout).toMatch(/\t2\n/);
  expect(run('--security-opt', 'seccomp=unconfined', ...read).stdout).toMatch(/\t0\n/);
});

test('cp, diff and commit see what the container wrote', () => {
  podman('run', '--name', 'writer', ...common, 'box', 'sh', '-c', 'echo kept >/kept');
  expect(podman('diff', 'writer').stdout).toMatch(/^A \/kept$/m);
  expect(podman('commit', 'writer', 'again').status).toBe(0);
  expect(run('again', 'cat', '/kept').stdout).toBe('kept\n');
  podman('rm', 'writer');
});
