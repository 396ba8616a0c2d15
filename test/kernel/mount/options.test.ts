/** config.md, "Mounts" and "Linux mount options", sentence by sentence; judged by /proc/PID/mountinfo from outside. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mountinfo } from '../../../src/evidence/mountinfo.ts';
import { packageRoot } from '../../../src/package-root.ts';
import { hostTmpfs, inside, mountAt, Room } from '../../support/room.ts';

let room: Room;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  room = new Room();
});
afterEach(() => room?.[Symbol.asyncDispose]());

/** With a second mount below, seen by the launcher alone. */
const privately = { at: 'host', phase: 'prepare', kind: 'unshare', flags: ['CLONE_NEWNS'] } as const;
const source = () => {
  const path = room.make('source');
  mkdirSync(join(path, 'below'), { recursive: true });
  return path;
};
const nested = () => [privately, hostTmpfs(`${source()}/below`)];

test.each([
  ['ro', 'ro'],
  ['nosuid', 'nosuid'],
  ['nodev', 'nodev'],
  ['noexec', 'noexec'],
  ['nosymfollow', 'nosymfollow'],
  ['noatime', 'noatime'],
  ['nodiratime', 'nodiratime'],
])('%s: of a new file system, of a bind, and of all below with an r before it', async (word, seen) => {
  const [one, two, three] = [`/x/${word}`, `/y/${word}`, `/z/${word}`];
  const container = await room.with(
    [
      { destination: one, type: 'tmpfs', source: 'tmpfs', options: [word] },
      { destination: two, source: source(), options: ['rbind', word] },
      { destination: three, source: source(), options: ['rbind', `r${word}`] },
    ],
    nested(),
  );
  const has = (at: string) => mountAt(container, at)?.options.includes(seen);
  expect([one, two, `${two}/below`, three, `${three}/below`].map(has)).toEqual([
    true,
    true,
    false,
    true,
    true,
  ]);
});

test.each([
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
])('%s takes back what the source brings; its recursive twin also below', async (word, flag) => {
  const container = await room.with(
    [
      { destination: '/x', source: source(), options: ['rbind', word] },
      { destination: '/y', source: source(), options: ['rbind', `r${word}`] },
      { destination: '/z', source: source(), options: ['rbind'] },
    ],
    [
      privately,
      hostTmpfs(source(), 'MS_NOSUID', 'MS_NODEV'),
      { at: 'host', phase: 'prepare', kind: 'mkdir', path: `${source()}/below`, mode: 0o755 },
      hostTmpfs(`${source()}/below`, 'MS_NOSUID', 'MS_NODEV'),
    ],
  );
  const has = (at: string) => mountAt(container, at)?.options.includes(flag);
  expect(['/x', '/x/below', '/y', '/y/below', '/z'].map(has)).toEqual([false, true, false, false, true]);
});

test('rw opens nothing that the host keeps read-only, and rrw does', async () => {
  const container = await room.with(
    [
      { destination: '/x', source: source(), options: ['bind', 'rw'] },
      { destination: '/y', source: source(), options: ['bind', 'rrw'] },
    ],
    [privately, hostTmpfs(source(), 'MS_RDONLY')],
  );
  expect(mountAt(container, '/x')?.options).toContain('ro');
  // The file system itself is read-only here; the mount no longer is.
  expect(mountAt(container, '/y')?.options).toContain('rw');
});

test('options of the file system reach it; words that it does not know are its error, with the step', async () => {
  const container = await room.with([
    {
      destination: '/x',
      type: 'tmpfs',
      source: 'mine',
      options: ['mode=0711', 'size=1m', 'sync', 'strictatime'],
    },
  ]);
  expect(inside(container, '/x').mode & 0o777).toBe(0o711);
  expect(mountAt(container, '/x')).toMatchObject({ type: 'tmpfs', source: 'mine' });
  const line = readFileSync(`/proc/${container.pid}/mountinfo`, 'utf8')
    .split('\n')
    .find((one) => one.includes(' /x '));
  expect(line).toMatch(/size=1024k/);
  expect(line).toMatch(/\bsync\b/);
  expect(line).not.toMatch(/relatime/);
  const wrong = { destination: '/x', type: 'tmpfs', source: 'tmpfs', options: ['colour=red'] };
  const error = await room.refusal((spec) => spec.mounts?.push(wrong));
  expect(error.message).toMatch(
    /mount\("tmpfs", root:"\/x", "tmpfs", 0, "colour=red"\): EINVAL .*, .*mounts\[\d+\]/,
  );
});

test('a relative destination is relative to /; what is missing is made, for a file a file', async () => {
  writeFileSync(join(room.folder, 'file'), 'content');
  const container = await room.with([
    { destination: 'a/b', source: source(), options: ['bind'] },
    { destination: '/c/d', source: join(room.folder, 'file'), options: ['bind', 'ro'] },
  ]);
  expect(mountAt(container, '/a/b')).toBeDefined();
  expect(readFileSync(`/proc/${container.pid}/root/c/d`, 'utf8')).toBe('content');
  expect(() => writeFileSync(`/proc/${container.pid}/root/c/d`, '')).toThrow('EROFS');
});

test('mounts are made in the listed order: what stands below /proc is on top of it', async () => {
  const container = await room.begin((spec) => {
    const cover = { destination: '/proc/sys', source: source(), options: ['bind'] };
    const before = { destination: '/proc/bus', source: source(), options: ['bind'] };
    spec.mounts = [before, ...(spec.mounts ?? []), cover];
    spec.linux = { ...spec.linux, readonlyPaths: [], maskedPaths: [] };
  });
  expect(statSync(`/proc/${container.pid}/root/proc/sys`).ino).toBe(statSync(source()).ino);
  expect(statSync(`/proc/${container.pid}/root/proc/bus`).ino).not.toBe(statSync(source()).ino);
});

test('a mount point that is a symlink leads where it leads inside, even if that is not there yet', async () => {
  writeFileSync(join(room.folder, 'resolv'), 'nameserver');
  symlinkSync('../run/resolve/stub.conf', join(room.rootfs, 'etc/dangling'));
  symlinkSync('/opt/no/where', join(room.rootfs, 'mnt/up'));
  const container = await room.with([
    { destination: '/etc/dangling', source: join(room.folder, 'resolv'), options: ['bind'] },
    { destination: '/mnt/up/x', source: source(), options: ['bind'] },
  ]);
  expect(mountinfo(container.pid).map(({ at }) => at)).toEqual(
    expect.arrayContaining(['/run/resolve/stub.conf', '/opt/no/where/x']),
  );
});

test('remount: with bind of this mount alone; without, of the file system', async () => {
  const container = await room.with([
    { destination: '/x', source: source(), options: ['bind', 'nosuid'] },
    { destination: '/x', options: ['remount', 'bind', 'ro'] },
    { destination: '/y', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] },
    { destination: '/y', options: ['remount', 'nodev', 'size=2m'] },
  ]);
  expect(mountAt(container, '/x')?.options).toEqual(expect.arrayContaining(['ro', 'nosuid']));
  expect(mountAt(container, '/y')?.options).toContain('nodev');
  expect(readFileSync(`/proc/${container.pid}/mountinfo`, 'utf8')).toMatch(/ \/y .*size=2048k/);
});

test('tmpcopyup: the tmpfs holds what the rootfs has there, with owners, modes and links', async () => {
  const from = join(room.rootfs, 'var/www');
  mkdirSync(join(from, 'deep/er'), { recursive: true });
  writeFileSync(join(from, 'deep/er/file'), 'text', { mode: 0o4711 });
  chmodSync(join(from, 'deep/er/file'), 0o4711);
  symlinkSync('/etc/passwd', join(from, 'link'));
  chmodSync(from, 0o710);
  const container = await room.with([
    { destination: '/var/www', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'ro'] },
  ]);
  const root = `/proc/${container.pid}/root/var/www`;
  expect(mountAt(container, '/var/www')).toMatchObject({
    type: 'tmpfs',
    options: expect.arrayContaining(['ro']),
  });
  expect(readFileSync(`${root}/deep/er/file`, 'utf8')).toBe('text');
  expect(statSync(`${root}/deep/er/file`).mode & 0o7777).toBe(0o4711);
  expect(statSync(root).mode & 0o777).toBe(0o710);
  expect(readFileSync(`/proc/${container.pid}/root/var/www/deep/er/file`, 'utf8')).toBe('text');
});

test('the command line: options of volumes, a tmpfs, a device', () => {
  const script = 'cat /proc/self/mountinfo; ls -l /dev/more';
  const flags = [
    '-v',
    `${source()}:/x:ro,nosuid`,
    '--tmpfs',
    '/y:size=1m',
    '--device',
    '/dev/full:/dev/more',
  ];
  const args = ['run', '--rootfs', room.rootfs, ...flags, '--', 'sh', '-c', script];
  const { stdout, stderr } = spawnSync(join(packageRoot, 'bin/tslab'), args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/ \/x ro,nosuid,relatime /);
  expect(stdout).toMatch(/ \/y rw,nosuid,nodev,relatime .*size=1024k/);
  expect(stdout).toMatch(/^crw-rw-rw- .* 1, +7 .*more$/m);
});

test('a read-only /dev has its devices, and is read-only in the end', async () => {
  const container = await room.begin((spec) => {
    for (const mount of spec.mounts ?? []) if (mount.destination === '/dev') mount.options?.push('ro');
  });
  expect(mountAt(container, '/dev')?.options).toContain('ro');
  expect(inside(container, '/dev/null').isCharacterDevice()).toBe(true);
  expect(mountAt(container, '/dev/shm')?.options).toContain('rw');
});
