/** run(config), judged from outside: exit statuses, /proc, and what is left. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Container, defaultSpec, StartError, start } from '../../../src/index.ts';
import type { Spec } from '../../../src/oci/spec.ts';
import { packageRoot } from '../../../src/package-root.ts';

let folder: string;
let rootfs: string;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  folder = mkdtempSync(join(tmpdir(), 'tslab-test-'));
  rootfs = join(folder, 'rootfs');
  execFileSync('cp', ['-a', `${join(packageRoot, 'dist/rootfs/default')}/.`, rootfs]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tslab = (...args: string[]) => spawnSync(join(packageRoot, 'bin/tslab'), args, { encoding: 'utf8' });
const begin = (args: string[], change: (spec: Spec) => void = () => {}): Promise<Container> => {
  const spec = defaultSpec({ args, rootfs });
  change(spec);
  return start(spec, { stdio: ['pipe', 'pipe', 'pipe'] });
};
const output = (container: Container) => text(container.stdout as Readable);

test.each([0, 1, 42, 255])('exit status %i is handed through', async (code) => {
  const container = await begin(['sh', '-c', `exit ${code}`]);
  expect(await container.exit).toEqual({ code });
});

test('a signal is handed in, and a death by signal is told', async () => {
  const container = await begin(['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.01; done']);
  await new Promise((ready) => container.stdout?.once('data', ready));
  container.kill('SIGTERM');
  expect(await container.exit).toEqual({ code: 7 });
  const killed = await begin(['sleep', '100']);
  killed.kill('SIGKILL');
  expect(await killed.exit).toEqual({ signal: 'SIGKILL' });
});

test('it is PID 1 in namespaces of its own, and another number on the host', async () => {
  const container = await begin(['sleep', '100']);
  try {
    const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
    expect(/^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/)).toEqual([String(container.pid), '1']);
    for (const type of ['mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup'])
      expect(readlinkSync(`/proc/${container.pid}/ns/${type}`)).not.toBe(
        readlinkSync(`/proc/self/ns/${type}`),
      );
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(readdirSync(`/proc/${container.pid}/fd`).sort()).toEqual(['0', '1', '2']);
  } finally {
    await container.stop();
  }
});

test('a read-only root, a volume, a variable, a directory, a user', async () => {
  const script = 'touch /x 2>&1; cat /v/passwd | head -n 1; echo $WHO; pwd; id -u';
  const container = await begin(['sh', '-c', script], (spec) => {
    spec.root = { path: rootfs, readonly: true };
    spec.mounts?.push({ destination: '/mnt', source: '/etc', type: 'bind', options: ['rbind', 'ro'] });
    if (!spec.process) return;
    spec.process.args = ['sh', '-c', script.replace('/v/', '/mnt/')];
    spec.process.env?.push('WHO=me');
    spec.process.cwd = '/tmp';
    spec.process.user = { uid: 1234, gid: 1234 };
  });
  const [touch, passwd, who, cwd, uid] = (await output(container)).split('\n');
  expect(touch).toMatch(/Read-only file system/);
  expect(passwd).toMatch(/^root:/);
  expect([who, cwd, uid]).toEqual(['me', '/tmp', '1234']);
});

test.each([
  ['nosuch', 127, 'ENOENT'],
  ['/etc/passwd', 126, 'EACCES'],
])('a program that is no program: %s', async (program, exitCode, errno) => {
  const error = await begin([program]).catch((error) => error);
  expect(error).toBeInstanceOf(StartError);
  expect(error).toMatchObject({ exitCode, errno });
});

test('a failing step names itself and leaves nothing mounted', async () => {
  const before = readFileSync('/proc/self/mountinfo', 'utf8');
  const error = await begin(['true'], (spec) => {
    spec.mounts?.push({ destination: '/y', type: 'nosuchfs', source: 'none' });
  }).catch((error) => error);
  expect(error).toMatchObject({
    exitCode: 125,
    errno: 'ENODEV',
    step: { kind: 'mount', from: { lesson: 'mount' } },
  });
  expect(error.message).toMatch(
    /step \d+ of \d+, mount\(.*ENODEV \(no such device\), asked for by mount, mounts\[\d+\]/,
  );
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
});

test('a launcher that is killed takes its container along, and its ledger is played', async () => {
  const container = await begin(['sleep', '100']);
  process.kill(container.launcherPid, 'SIGKILL');
  await expect(container.exit).rejects.toThrow(/ended by itself/);
  // Who inherits a zombie reaps it in its own time.
  const stat = spawnSync('cat', [`/proc/${container.pid}/stat`], { encoding: 'utf8' }).stdout;
  expect(stat === '' || stat.includes(') Z ')).toBe(true);
});

test('a saved plan needs no Node', () => {
  const file = join(folder, 'plan');
  expect(tslab('plan', '--rootfs', rootfs, '--out', file, '--', 'sh', '-c', 'echo $$; exit 5').status).toBe(
    0,
  );
  const alone = spawnSync(join(packageRoot, 'native/build/launch'), ['--plan', file], {
    encoding: 'utf8',
    env: {},
  });
  expect([alone.status, alone.stdout]).toEqual([5, '1\n']);
});

test('the command line hands the status on, and says what is wrong with a flag', () => {
  expect(tslab('run', '--', 'sh', '-c', 'exit 9').status).toBe(9);
  expect(tslab('run', '--rootfs', '/nonexistent', '--', 'true').stderr).toMatch(
    /--rootfs \/nonexistent: no such directory/,
  );
  expect(tslab('run', '-v', 'x', '--', 'true').stderr).toMatch(/--volume x: it takes/);
});

test('a further process joins by name, and sees what the first one sees', async () => {
  const name = `test-${process.pid}`;
  const spec = defaultSpec({ args: ['sleep', '100'], rootfs });
  const container = await start(spec, { id: name, stdio: ['ignore', 'ignore', 'ignore'] });
  try {
    expect(JSON.parse(tslab('ps', '--json').stdout)).toContainEqual(
      expect.objectContaining({ id: name, pid: container.pid }),
    );
    const own = readlinkSync(`/proc/${container.pid}/ns/mnt`);
    const joined = tslab('exec', name, 'sh', '-c', 'readlink /proc/self/ns/mnt; cat /proc/1/comm; exit 6');
    expect(joined.stdout).toBe(`${own}\nsleep\n`);
    expect(joined.status).toBe(6);
  } finally {
    await container.stop();
  }
  expect(tslab('exec', name, 'true').stderr).toMatch(/there is none of this name/);
});
