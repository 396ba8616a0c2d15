/** config-linux.md, "Devices", "Default Devices"; runtime-linux.md, "Dev symbolic links". */
import { mkdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Spec } from '../../../src/index.ts';
import type { Device } from '../../../src/oci/spec.ts';
import { inside, mountAt, Room } from '../../support/room.ts';

let room: Room;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  room = new Room();
});
afterEach(() => room?.[Symbol.asyncDispose]());

const devices =
  (...wanted: Device[]) =>
  (spec: Spec): void => {
    spec.linux = { ...spec.linux, devices: wanted };
  };
const number = (rdev: number) => `${rdev >> 8}:${rdev & 0xff}`;

test('the default devices and links', async () => {
  const container = await room.begin(() => {});
  const numbers = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => {
    const { rdev, mode } = inside(container, `/dev/${name}`);
    return `${number(rdev)} ${(mode & 0o7777).toString(8)}`;
  });
  expect(numbers).toEqual(['1:3 666', '1:5 666', '1:7 666', '1:8 666', '1:9 666', '5:0 666']);
  const link = (name: string) => readlinkSync(`/proc/${container.pid}/root/dev/${name}`);
  expect(['fd', 'stdin', 'stdout', 'stderr', 'ptmx'].map(link)).toEqual([
    '/proc/self/fd',
    '/proc/self/fd/0',
    '/proc/self/fd/1',
    '/proc/self/fd/2',
    'pts/ptmx',
  ]);
});

test('devices of the config: type, numbers, mode, owner; anywhere; fifos too', async () => {
  const container = await room.begin(
    devices(
      { type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o640, uid: 7, gid: 8 },
      { type: 'b', path: '/dev/deep/disk', major: 7, minor: 99 },
      { type: 'u', path: '/opt/nodes/zero', major: 1, minor: 5 },
      { type: 'p', path: '/dev/pipe', fileMode: 0o600, uid: 9 },
    ),
  );
  const fuse = inside(container, '/dev/fuse');
  expect([number(fuse.rdev), fuse.mode & 0o7777, fuse.uid, fuse.gid]).toEqual(['10:229', 0o640, 7, 8]);
  expect(inside(container, '/dev/deep/disk').isBlockDevice()).toBe(true);
  expect(inside(container, '/opt/nodes/zero').isCharacterDevice()).toBe(true);
  const pipe = inside(container, '/dev/pipe');
  expect([pipe.isFIFO(), pipe.mode & 0o777, pipe.uid, pipe.gid]).toEqual([true, 0o600, 9, 0]);
});

test('of two with one path the later counts, also against a default one', async () => {
  const container = await room.begin(
    devices(
      { type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o600 },
      { type: 'c', path: '/dev/two', major: 1, minor: 5 },
      { type: 'c', path: '/dev/two', major: 1, minor: 7 },
    ),
  );
  expect(inside(container, '/dev/null').mode & 0o777).toBe(0o600);
  expect(number(inside(container, '/dev/two').rdev)).toBe('1:7');
});

test('a path that is taken: by that device it is fine, by anything else an error', async () => {
  mkdirSync(join(room.rootfs, 'opt'), { recursive: true });
  writeFileSync(join(room.rootfs, 'opt/device'), '');
  const wanted: Device = { type: 'c', path: '/opt/device', major: 1, minor: 3 };
  const error = await room.refusal(devices(wanted));
  expect(error.message).toMatch(/mknod\(root:"\/opt\/device", .*\): EEXIST .*, .*linux\.devices\[0\]/);
  rmSync(join(room.rootfs, 'opt/device'));
  await room.begin(devices(wanted));
  await room.begin(devices(wanted));
});

test('without a mount on /dev the devices are there all the same; in a /dev that is bound they are left alone', async () => {
  const bare = await room.begin((spec) => {
    spec.mounts = (spec.mounts ?? []).filter(({ destination }) => !destination.startsWith('/dev'));
  });
  expect(inside(bare, '/dev/null').isCharacterDevice()).toBe(true);
  const own = room.make('own-dev');
  const bound = await room.begin((spec) => {
    spec.mounts = [
      ...(spec.mounts ?? []).filter(({ destination }) => !destination.startsWith('/dev')),
      { destination: '/dev', source: own, options: ['rbind'] },
    ];
    spec.linux = { ...spec.linux, maskedPaths: [] };
  });
  expect(mountAt(bound, '/dev')).toBeDefined();
  expect(() => statSync(join(own, 'null'))).toThrow('ENOENT');
});

test('a terminal is bound on /dev/console: the very terminal', async () => {
  const change = (spec: Spec) => {
    if (spec.process) spec.process.terminal = true;
  };
  const container = await room.begin(change);
  const console = inside(container, '/dev/console');
  expect(console.rdev).toBe(inside(container, '/dev/pts/0').rdev);
  expect(console.ino).toBe(inside(container, '/dev/pts/0').ino);
  expect(mountAt(container, '/dev/console')).toMatchObject({ type: 'devpts', root: '/0' });
  expect(readlinkSync(`/proc/${container.pid}/fd/0`)).toBe('/dev/pts/0');
});
