/** What a layer takes away: said in its archive by names, on the disk in overlayfs's form, and the kernel is the judge. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changes } from '../../../src/image/layer/changes.ts';
import { packIntoStore } from '../../../src/image/layer/pack.ts';
import { digestOf } from '../../../src/image/store/digest.ts';
import { ImageRoom } from '../../support/images.ts';
import { archive, dir } from '../../support/tar.ts';

let room: ImageRoom;
let lower: string;

beforeAll(async () => {
  room = new ImageRoom();
  const files = ['keep', 'gone', 'd/old', 'd/stays', 'o/old', 'r/old', 'both', 'tree/a/b'].map((path) => ({
    path,
    body: 'l',
  }));
  lower = await room.unpack(archive(...files));
});
afterAll(() => room[Symbol.dispose]());

/** What the kernel merges of these folders, the lowest first, seen in a mount namespace that ends with the look. */
function merged(...folders: string[]): string[] {
  const script = `mount -t tmpfs tmpfs "$1" && mkdir "$1/m" && mount -t overlay overlay -o "lowerdir=$2" "$1/m" && cd "$1/m" && find . -mindepth 1 | sort`;
  const at = room.make('mnt');
  return execFileSync('unshare', ['-m', 'sh', '-ec', script, 'sh', at, [...folders].reverse().join(':')], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .map((path) => path.slice(2));
}

const before = [
  'both',
  'd',
  'd/old',
  'd/stays',
  'gone',
  'keep',
  'o',
  'o/old',
  'r',
  'r/old',
  'tree',
  'tree/a',
  'tree/a/b',
];

const upperOf = () =>
  room.unpack(
    archive(
      { path: '.wh.gone' },
      { path: 'd/.wh.old' },
      dir('o/'),
      { path: 'o/.wh..wh..opq' },
      { path: 'o/new', body: 'u' },
      // Taken away, and there again: as a directory that begins anew, and as a file.
      { path: '.wh.r' },
      dir('r/'),
      { path: 'r/new', body: 'u' },
      { path: '.wh.both' },
      { path: 'both', body: 'u' },
      // The same the other way round.
      { path: 'tree/a/c', body: 'u' },
      { path: 'tree/.wh.a' },
    ),
  );

const after = ['both', 'd', 'd/stays', 'keep', 'o', 'o/new', 'r', 'r/new', 'tree', 'tree/a', 'tree/a/c'];

test('the kernel shows what the layers say', async () => {
  expect(merged(lower, room.make('nothing'))).toEqual(before);
  const upper = await upperOf();
  expect(merged(lower, upper)).toEqual(after);
  expect(lstatSync(join(upper, 'gone')).isCharacterDevice()).toBe(true);
});

test("aufs's own names are passed over; of a file of many, those that the image has stay one file", async () => {
  const folder = await room.unpack(
    archive(
      { path: '.wh..wh.aufs', mode: 0o444 },
      dir('.wh..wh.orph/'),
      { path: '.wh..wh.orph/lost', body: 'lost' },
      dir('.wh..wh.plnk/'),
      { path: '.wh..wh.plnk/12.34', body: 'shared', mode: 0o640, uid: 7 },
      { path: '.wh..wh.plnk/56.78', body: 'of no name' },
      { type: '2', path: '.wh..wh.plnk/sym', link: '/' },
      dir('d/'),
      { type: '1', path: 'd/one', link: '.wh..wh.plnk/12.34' },
      { type: '1', path: 'two', link: './.wh..wh.plnk/12.34' },
    ),
  );
  expect(readdirSync(folder).sort()).toEqual(['d', 'two']);
  const [one, two] = [join(folder, 'd/one'), join(folder, 'two')].map((path) => lstatSync(path));
  expect(one).toMatchObject({ nlink: 2, ino: two?.ino, size: 6, uid: 7, mode: 0o100640 });
});

test('packed again, and unpacked, it is the same layer', async () => {
  const { descriptor, diffId } = await packIntoStore(room.store, await upperOf());
  const tar = execFileSync('gzip', ['-dc', room.store.blobPath(descriptor.digest)], { maxBuffer: 1 << 26 });
  expect(digestOf(tar)).toBe(diffId);
  const names = execFileSync('tar', ['-t'], { input: tar, encoding: 'utf8' }).trim().split('\n');
  expect(names).toEqual(
    expect.arrayContaining(['.wh.gone', 'd/.wh.old', 'o/.wh..wh..opq', 'r/.wh..wh..opq']),
  );
  expect(merged(lower, await room.unpack(tar))).toEqual(after);
});

test('changes are those that the kernel made in an upper directory', async () => {
  const at = room.make('live');
  const script = `
    mount -t tmpfs tmpfs "$1" && mkdir "$1/m" "$2/upper" "$2/work"
    mount -t overlay overlay -o "lowerdir=$3,upperdir=$2/upper,workdir=$2/work" "$1/m"; cd "$1/m"
    rm gone; echo new > keep; rm -r o; mkdir o; echo 1 > o/new; mv d/old d/renamed; mkdir fresh`;
  execFileSync('unshare', ['-m', 'sh', '-ec', script, 'sh', room.make('mnt'), at, lower]);
  const list = await changes([lower], [lower, join(at, 'upper')]);
  expect(list.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'C /d',
    'D /d/old',
    'A /d/renamed',
    'A /fresh',
    'D /gone',
    'C /keep',
    'C /o',
    'A /o/new',
    'D /o/old',
  ]);
});

test('files that no layer can hold are refused by name', async () => {
  const upper = room.make('reserved');
  mkdirSync(join(upper, 'd'));
  writeFileSync(join(upper, 'd/.wh.trap'), '');
  await expect(packIntoStore(room.store, upper)).rejects.toThrow('d/.wh.trap: no file of a layer');
});
