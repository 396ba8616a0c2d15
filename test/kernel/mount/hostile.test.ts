/** A rootfs that wants out: symlinks in every place where we mount, make or mask, also while they change. */
import { spawn } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Spec } from '../../../src/index.ts';
import { inside, mountAt, Room } from '../../support/room.ts';

let room: Room;
let outside: string;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  room = new Room();
  outside = room.make('outside');
});
afterEach(() => room?.[Symbol.asyncDispose]());

const inRootfs = (path: string) => join(room.rootfs, path);
const tmpfs = (destination: string) => ({ destination, type: 'tmpfs', source: 'tmpfs' });

test.each(['/proc', '/sys', '/dev'])('a rootfs whose %s is a symlink is refused', async (name) => {
  renameSync(inRootfs(name), inRootfs('elsewhere'));
  symlinkSync('/elsewhere', inRootfs(name));
  const { message } = await room.refusal(() => {});
  expect(message).toContain(`open(root:"${name}", O_PATH|O_DIRECTORY|O_NOFOLLOW): ENOTDIR`);
  expect(message).toMatch(/is a link is refused/);
});

test.each(['/proc/', 'proc/.', '//proc'])('also if the config spells it %s', async (destination) => {
  renameSync(inRootfs('/proc'), inRootfs('elsewhere'));
  symlinkSync('/elsewhere', inRootfs('/proc'));
  const { message } = await room.refusal((spec) => {
    const [proc] = spec.mounts ?? [];
    if (proc) Object.assign(proc, { destination, type: 'bind', source: '/proc', options: ['rbind'] });
  });
  expect(message).toContain('O_NOFOLLOW): ENOTDIR');
});

test('so is one whose /dev is a symlink that nothing is mounted on', async () => {
  rmSync(inRootfs('dev'), { recursive: true });
  symlinkSync('/etc', inRootfs('dev'));
  const { message } = await room.refusal((spec) => {
    spec.mounts = (spec.mounts ?? []).filter(({ destination }) => !destination.startsWith('/dev'));
  });
  expect(message).toContain('open(root:"/dev", O_PATH|O_DIRECTORY|O_NOFOLLOW): ENOTDIR');
});

test.each([
  ['absolute', () => outside],
  ['climbing', () => `../../../../../../../..${outside}`],
])('a mount point or device behind an %s symlink stays inside', async (_, target) => {
  symlinkSync(target(), inRootfs('way'));
  const container = await room.begin((spec) => {
    spec.mounts?.push(tmpfs('/way/tmpfs'), {
      destination: '/way/bind',
      source: room.make('source'),
      options: ['bind'],
    });
    spec.linux = { ...spec.linux, devices: [{ type: 'c', path: '/way/node', major: 1, minor: 3 }] };
  });
  expect(readdirSync(outside)).toEqual([]);
  expect(mountAt(container, `${outside}/tmpfs`)).toBeDefined();
  expect(mountAt(container, `${outside}/bind`)).toBeDefined();
  expect(inside(container, `${outside}/node`).isCharacterDevice()).toBe(true);
});

test('a masked or read-only path that leads out is one inside, or none', async () => {
  writeFileSync(join(outside, 'secret'), 'seen');
  symlinkSync(outside, inRootfs('way'));
  const container = await room.begin((spec) => {
    spec.linux = { ...spec.linux, maskedPaths: ['/way/secret'], readonlyPaths: ['/way'] };
  });
  expect(mountAt(container, `${outside}/secret`)).toBeUndefined();
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('seen');
});

/** A /dev of an attacker's: bound, and with something else under the name null. */
function falseNull(make: (path: string) => void): (spec: Spec) => void {
  const dev = room.make('dev');
  make(join(dev, 'null'));
  writeFileSync(inRootfs('etc/hidden'), 'hidden');
  return (spec) => {
    spec.mounts = (spec.mounts ?? []).filter(({ destination }) => !destination.startsWith('/dev'));
    spec.mounts.push({ destination: '/dev', source: dev, options: ['rbind'] });
    spec.linux = { ...spec.linux, maskedPaths: ['/etc/hidden', '/proc/timer_list'] };
  };
}

test.each<[string, (path: string) => void]>([
  ['a symlink', (path) => symlinkSync('/proc/sys/kernel/core_pattern', path)],
  ['a file', (path) => writeFileSync(path, 'not null')],
  ['nothing', () => {}],
])('a mask is the kernel’s null device, also if the container’s /dev/null is %s', async (_, make) => {
  const container = await room.begin(falseNull(make));
  expect(inside(container, '/etc/hidden').rdev).toBe((1 << 8) | 3);
  expect(inside(container, '/proc/timer_list').rdev).toBe((1 << 8) | 3);
  expect(readFileSync(`/proc/${container.pid}/root/etc/hidden`, 'utf8')).toBe('');
});

test('masks: a file, a directory, what is missing; read-only with all that is mounted below', async () => {
  mkdirSync(inRootfs('opt/full/below'), { recursive: true });
  writeFileSync(inRootfs('opt/full/file'), 'x');
  const container = await room.begin((spec) => {
    spec.mounts?.push(
      { destination: '/opt/locked', source: room.make('locked'), options: ['bind'] },
      tmpfs('/opt/locked/in'),
    );
    const maskedPaths = ['/opt/full', '/etc/passwd', '/no/such', '/etc/passwd/below'];
    spec.linux = { ...spec.linux, maskedPaths, readonlyPaths: ['/no/such', '/opt/locked', '/etc/group'] };
  });
  const root = `/proc/${container.pid}/root`;
  expect(readdirSync(`${root}/opt/full`)).toEqual([]);
  expect(() => writeFileSync(`${root}/opt/full/x`, '')).toThrow('EROFS');
  expect(readFileSync(`${root}/etc/passwd`, 'utf8')).toBe('');
  for (const path of ['/opt/locked/x', '/opt/locked/in/x', '/etc/group'])
    expect(() => writeFileSync(root + path, '')).toThrow('EROFS');
  expect(readFileSync(`${root}/etc/group`, 'utf8')).toContain('root');
});

test('a name that is a directory now and a symlink out of here then: nothing is ever made outside', async () => {
  const flip = `cd ${room.rootfs}; while :; do mkdir -p way/x; rm -rf way; ln -s ${outside} way; rm -f way; done`;
  const flipping = spawn('sh', ['-c', flip], { stdio: 'ignore' });
  try {
    for (let i = 0; i < 40; i++) {
      const change = (spec: Spec) => {
        spec.mounts?.push(tmpfs('/way/x'), {
          destination: '/way/y',
          source: room.make('source'),
          options: ['bind'],
        });
        spec.linux = { ...spec.linux, devices: [{ type: 'p', path: '/way/fifo' }] };
      };
      // It starts, or loses the race with an error of the kernel's; either is fine.
      const container = await room.begin(change).catch(() => undefined);
      await container?.stop();
      expect(readdirSync(outside)).toEqual([]);
    }
  } finally {
    flipping.kill('SIGKILL');
    await new Promise((done) => flipping.once('close', done));
  }
});
