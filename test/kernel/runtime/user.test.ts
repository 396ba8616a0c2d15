/** User namespaces as an ordinary user and as root, judged by what /proc and stat(2) say outside. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaultSpec, start } from '../../../src/index.ts';
import type { Spec } from '../../../src/oci/spec.ts';
import { packageRoot } from '../../../src/package-root.ts';
import { OrdinaryUser, RANGE, UID } from '../../support/ordinary-user.ts';

let user: OrdinaryUser;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  user = new OrdinaryUser();
  ctx.skip(!user.mayRun, 'the checkout is where no other user may enter');
});
afterEach(() => user?.[Symbol.dispose]());

const tslab = (...args: string[]) => spawnSync(join(packageRoot, 'bin/tslab'), args, { encoding: 'utf8' });
const rows = (map: string) =>
  map
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));

test('an ordinary user is root inside, with a range of ids besides', () => {
  const ran = user.tslab('run', '--', 'sh', '-c', 'id -u; cat /proc/self/uid_map; cat /proc/self/setgroups');
  expect(ran.stderr).toBe('');
  const [id, ...map] = ran.stdout.trim().split('\n');
  expect([id, map.pop()]).toEqual(['0', 'allow']);
  expect(rows(map.join('\n'))).toEqual([
    [0, UID, 1],
    [1, RANGE.first, RANGE.count],
  ]);
});

test('without a range, or without a name in /etc/passwd that has one, it is the one id', () => {
  using alone = new OrdinaryUser('somebody:1:2\n');
  const ran = alone.tslab('run', '--', 'sh', '-c', 'id -u; cat /proc/self/uid_map /proc/self/setgroups');
  expect(ran.stdout.split(/\s+/)).toEqual(['0', '0', String(UID), '1', 'deny', '']);
  expect(alone.tslab('run', '-u', '1000', '--', 'true').stderr).toMatch(
    /process\.user\.uid: 1000 is not in linux\.uidMappings/,
  );
});

test('another user inside is another id of the range outside, and what they leave can be removed', async () => {
  const child = spawn(user.become[0] as string, [
    ...user.become.slice(1),
    join(packageRoot, 'bin/tslab'),
    ...[
      'run',
      '--init',
      '-u',
      '1000:1001',
      '--',
      'sh',
      '-c',
      'mkdir /tmp/d; touch /tmp/d/f; echo ready; exec sleep 100',
    ],
  ]);
  await new Promise((ready) => child.stdout.once('data', ready));
  const [folder = ''] = readdirSync(join(user.home, '.local/share/tslab/containers'));
  const file = join(user.home, '.local/share/tslab/containers', folder, 'rootfs/tmp/d/f');
  const { uid, gid } = lstatSync(file);
  expect([uid, gid]).toEqual([RANGE.first + 999, RANGE.first + 1000]);
  child.kill('SIGTERM');
  const ended = await new Promise((done) => child.once('exit', (...how) => done(how)));
  // Not by the signal itself, also when it comes the moment after the program has spoken.
  expect(ended).toEqual([143, null]);
  expect(existsSync(join(user.home, '.local/share/tslab/containers'))).toBe(false);
  expect(readdirSync(join(user.home, '.local/share/tslab/run'))).toEqual([]);
});

test('keep-id: the same number inside and outside', () => {
  expect(user.tslab('run', '--userns', 'keep-id', '--', 'id', '-u').stdout).toBe(`${UID}\n`);
  using alone = new OrdinaryUser('');
  expect(alone.tslab('run', '--userns', 'keep-id', '--', 'id', '-u').stdout).toBe(`${UID}\n`);
});

test('the host’s network is shared, and /sys is the host’s own to look at', () => {
  const ran = user.tslab(
    'run',
    '--network',
    'host',
    '--',
    'sh',
    '-c',
    'readlink /proc/self/ns/net; ls /sys/class | grep net; touch /sys/x',
  );
  expect(ran.stdout).toBe(`${readlinkSync('/proc/self/ns/net')}\nnet\n`);
  expect(ran.stderr).toMatch(/Read-only file system/);
});

test('another container’s network is joined through its user namespace', () => {
  const [one, two] = [`user-one-${process.pid}`, 'readlink /proc/self/ns/net; id -u; cat /proc/1/comm; true'];
  expect(user.tslab('run', '-d', '--name', one, '--', 'sleep', '100').stderr).toBe('');
  const first = user.tslab('exec', one, 'readlink', '/proc/self/ns/net').stdout;
  expect(user.tslab('run', '--network', `container:${one}`, '--', 'sh', '-c', two).stdout).toBe(
    `${first}0\nsh\n`,
  );
  user.tslab('rm', '--force', one);
  user.tslab('kill', one);
  user.tslab('wait', one);
  user.tslab('rm', one);
  expect(existsSync(join(user.home, '.local/share/tslab/containers'))).toBe(false);
});

test('groups by number, where the map has them', () => {
  const groups = (...flags: string[]) =>
    user.tslab('run', ...flags, '--', 'grep', 'Groups', '/proc/self/status');
  expect(groups('--group-add', '7', '--group-add', '2000').stdout.trim().split(/\s+/)).toEqual([
    'Groups:',
    '7',
    '2000',
  ]);
  using alone = new OrdinaryUser('');
  expect(alone.tslab('run', '--group-add', '0', '--', 'true').stderr).toMatch(/additionalGids: .*subgid/);
});

test('doctor says whether they may make namespaces, and whether they have ranges', () => {
  expect(user.tslab('doctor').stdout).toMatch(/^yes {2}user namespaces for ordinary users/m);
  expect(user.tslab('doctor').stdout).toMatch(/^yes {2}ranges in \/etc\/subuid/m);
  using alone = new OrdinaryUser('');
  expect(alone.tslab('doctor').stdout).toMatch(/^no {3}ranges in .*\n.*usermod --add-subuids/m);
});

test('a bridge is refused, and why', () => {
  expect(user.tslab('run', '--network', 'bridge', '--', 'true').stderr).toMatch(/bridge needs root/);
});

test('root’s container can have ids that are nobody’s on the host, and its files are theirs', () => {
  const ran = tslab(
    'run',
    '--userns',
    'auto',
    '--',
    'sh',
    '-c',
    'cat /proc/self/uid_map; touch /etc/x && ls -ln / | grep -c " 0 *0 "; grep Groups /proc/self/status',
  );
  expect(ran.stderr).toBe('');
  const [map = '', count, groups] = ran.stdout.trim().split('\n');
  const [inside, outside = 0, size] = rows(map)[0] ?? [];
  expect([inside, size]).toEqual([0, 65536]);
  expect(outside).toBeGreaterThan(65536);
  expect(Number(count)).toBeGreaterThan(5);
  expect(groups?.trim()).toBe('Groups:');
});

test('its rootfs may be where only root may go, and is shown as its own without being given away', () => {
  const shut = mkdtempSync(join(tmpdir(), 'tslab-test-')); // 0700, and root's
  const rootfs = join(shut, 'rootfs');
  try {
    execFileSync('cp', ['-a', `${join(packageRoot, 'dist/rootfs/default')}/.`, rootfs]);
    const script = 'id -u; ls /tmp | wc -l; stat -c %u /bin; touch /made; chown 5:5 /made';
    const ran = tslab('run', '--userns', 'auto', '--rootfs', rootfs, '--', 'sh', '-c', script);
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toBe('0\n0\n0\n');
    const { uid, gid } = lstatSync(join(rootfs, 'made'));
    expect([uid, gid]).toEqual([5, 5]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toMatch(/tslab-test-/);
  } finally {
    rmSync(shut, { recursive: true, force: true });
  }
});

test('it starts also where its root may not stand', () => {
  const shut = mkdtempSync(join(tmpdir(), 'tslab-test-')); // 0700, and root's
  try {
    const words = ['run', '--userns', 'auto', '--', 'id', '-u'];
    const ran = spawnSync(join(packageRoot, 'bin/tslab'), words, { encoding: 'utf8', cwd: shut });
    expect([ran.stdout, ran.stderr]).toEqual(['0\n', '']);
  } finally {
    rmSync(shut, { recursive: true, force: true });
  }
});

test('without a user namespace, root’s own groups are not the program’s', () => {
  const script = `setpriv --groups 4,27 ${join(packageRoot, 'bin/tslab')} run -u 1000 -- grep Groups /proc/self/status`;
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim()).toBe('Groups:');
});

test('a user namespace by path: its maps, and new namespaces that it owns', async () => {
  const holder = spawn('unshare', ['--user', '--map-root-user', 'sleep', '100'], { stdio: 'ignore' });
  const folder = mkdtempSync(join(tmpdir(), 'tslab-test-'));
  try {
    execFileSync('cp', ['-a', `${join(packageRoot, 'dist/rootfs/default')}/.`, join(folder, 'rootfs')]);
    const own = readlinkSync('/proc/self/ns/user');
    while (readlinkSync(`/proc/${holder.pid}/ns/user`) === own)
      await new Promise((done) => setTimeout(done, 5));
    while (readFileSync(`/proc/${holder.pid}/uid_map`, 'utf8') === '')
      await new Promise((done) => setTimeout(done, 5));
    const spec: Spec = defaultSpec({
      args: ['sh', '-c', 'id -u; readlink /proc/self/ns/user'],
      rootfs: join(folder, 'rootfs'),
    });
    spec.linux?.namespaces?.push({ type: 'user', path: `/proc/${holder.pid}/ns/user` });
    const container = await start(spec, { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = await text(container.stdout as Readable);
    expect(said).toBe(`0\n${readlinkSync(`/proc/${holder.pid}/ns/user`)}\n`);
    expect(await container.exit).toEqual({ code: 0 });
  } finally {
    holder.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
