/** Archives that want more than to be unpacked: each is refused by the entry's name, and nothing is left of it, nor touched outside. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limitsOf } from '../../../src/image/layer/limits.ts';
import { digestOf } from '../../../src/image/store/digest.ts';
import { ImageRoom, listing } from '../../support/images.ts';
import { archive, dir, END, entry, link, paxHeader, type Said, symlink } from '../../support/tar.ts';

let room: ImageRoom;
let outside: string;
let before: string[];

beforeAll(() => {
  room = new ImageRoom();
  outside = room.make('outside');
  writeFileSync(join(outside, 'victim'), 'untouched');
  mkdirSync(join(outside, 'folder'));
  before = listing(outside);
});
afterAll(() => room[Symbol.dispose]());

const up = '../'.repeat(12);
const file = (path: string, more: Partial<Said> = {}): Said => ({ path, body: 'evil', ...more });
const whiteout = (path: string): Said => ({ path });

/** By what it tries: the archive, and what the refusal says. Functions, for paths that are known only then. */
const cases: Record<string, [tar: () => Buffer, says: RegExp]> = {
  'an absolute name': [() => archive(file(`${outside}/victim`)), /victim: an absolute name/],
  'a name that climbs': [() => archive(file(`${up}${outside}/victim`)), /victim: a name with \.\. in it/],
  'a name that climbs in its middle': [
    () => archive(dir('a/'), file('a/../../b')),
    /a\/\.\.\/\.\.\/b: .*\.\./,
  ],
  'a long name that climbs': [
    () => archive(file('x', { pax: { path: `${up}${outside}/victim` } })),
    /victim: a name with \.\. in it/,
  ],
  'a symlink for the root': [() => archive(symlink('.', outside)), /\.: a symlink for the root/],
  'a symlink, then a file below it': [
    () => archive(symlink('s', outside), file('s/victim')),
    /s\/victim: s is no directory in this layer/,
  ],
  'a symlink, then a directory of its name and a file in it': [
    () => archive(symlink('s', outside), dir('s/'), file('s/victim')),
    /s\/: s is no directory/,
  ],
  'a directory that becomes a symlink, then a file below it': [
    () => archive(dir('d/'), symlink('d', outside), file('d/victim')),
    /d: a second entry of this name/,
  ],
  'a symlink two levels up': [
    () => archive(dir('a/'), symlink('a/s', outside), file('a/s/folder/x')),
    /a\/s\/folder\/x: a\/s is no directory/,
  ],
  'a file below a file': [() => archive(file('f'), file('f/x')), /f\/x: f is no directory/],
  'a file below a fifo': [
    () => archive(file('p', { type: '6', body: '' }), file('p/x')),
    /p\/x: p is no directory/,
  ],
  'a hard link to an absolute name': [() => archive(link('l', `${outside}/victim`)), /l: an absolute name/],
  'a hard link that climbs': [() => archive(link('l', `${up}${outside}/victim`)), /l: a name with \.\./],
  'a hard link through a symlink': [
    () => archive(symlink('s', outside), link('l', 's/victim')),
    /l: a hard link to s\/victim, which is not in this layer/,
  ],
  'a hard link to a symlink, then a write': [
    () => archive(symlink('s', `${outside}/victim`), link('l', 's'), file('l')),
    /l: a second entry/,
  ],
  'a hard link to a directory': [() => archive(dir('d/'), link('l', 'd')), /l: linkat\(l\): EPERM/],
  'a hard link to nothing': [
    () => archive(link('l', 'not/there')),
    /l: a hard link to not\/there, which is not/,
  ],
  'a hard link to a whiteout': [
    () => archive(whiteout('.wh.w'), link('l', 'w')),
    /l: a hard link to w, which is not/,
  ],
  'a symlink to nothing at all': [() => archive(symlink('s', '')), /s: symlinkat\(s\): ENOENT/],
  'a whiteout of ..': [
    () => archive(whiteout('.wh...')),
    /\.wh\.\.\.: a whiteout of nothing that could be there/,
  ],
  'a whiteout of .': [() => archive(whiteout('.wh..')), /\.wh\.\.: a whiteout of nothing/],
  'a whiteout without a name': [() => archive(whiteout('.wh.')), /\.wh\.: a whiteout of nothing/],
  'a whiteout with a name below': [
    () => archive(whiteout('.wh./x')),
    /\.wh\.\/x: \.wh\. is a whiteout, and nothing can be below one/,
  ],
  'a whiteout that climbs': [
    () => archive(whiteout('.wh.../../victim')),
    /\.wh\.\.\. is a whiteout, and nothing/,
  ],
  'a whiteout through a symlink': [
    () => archive(symlink('s', outside), whiteout('s/.wh.victim')),
    /s\/\.wh\.victim: s is no directory/,
  ],
  'an opaque whiteout through a symlink': [
    () => archive(symlink('s', outside), whiteout('s/.wh..wh..opq')),
    /s\/\.wh\.\.wh\.\.opq: s is no directory/,
  ],
  "a name of aufs's below the root": [
    () => archive(file('d/.wh..wh.plnk')),
    /d\/\.wh\.\.wh\.plnk: a whiteout of nothing/,
  ],
  "a folder of aufs's below the root": [
    () => archive(file('d/.wh..wh.plnk/1.2')),
    /\.wh\.\.wh\.plnk is a whiteout, and nothing can be below one/,
  ],
  "a name that aufs's begin like": [
    () => archive(file('.wh..wh.plnk2')),
    /\.wh\.\.wh\.plnk2: a whiteout of nothing/,
  ],
  'a hard link to what aufs had no links in': [
    () => archive(file('.wh..wh.aufs'), link('l', '.wh..wh.aufs')),
    /l: linkat\(l\): ENOENT/,
  ],
  "a way out by aufs's folder": [
    () =>
      archive(symlink('.wh..wh.plnk', outside), file('.wh..wh.plnk/victim'), file('.wh..wh.plnk/../../x')),
    /x: a name with \.\. in it/,
  ],
  'a whiteout of a whiteout': [() => archive(whiteout('.wh..wh.x')), /\.wh\.\.wh\.x: a whiteout of nothing/],
  'a whiteout that is a symlink': [
    () => archive(symlink('.wh.x', outside)),
    /\.wh\.x: a whiteout that is a symlink/,
  ],
  'an opaque root': [
    () => archive(whiteout('.wh..wh..opq')),
    /\.wh\.\.wh\.\.opq: it hides all that is below/,
  ],
  'a device that is a whiteout by hand': [
    () => archive(file('x', { type: '3', body: '' })),
    /x: the device 0:0, which is overlayfs's sign/,
  ],
  'a device beyond all numbers': [
    () => archive(file('x', { type: '4', body: '', major: 5000, minor: 1 })),
    /x: the device 5000:1/,
  ],
  'a file twice': [() => archive(file('a'), file('a')), /a: a second entry of this name/],
  'a file twice, by different spellings': [
    () => archive(dir('d/'), file('d/a'), file('./d//a')),
    /a: a second entry/,
  ],
  'a fifo over a file': [() => archive(file('a'), file('a', { type: '6', body: '' })), /a: a second entry/],
  "overlayfs's xattr on a directory": [
    () => archive(dir('d/', { pax: { 'SCHILY.xattr.trusted.overlay.redirect': '/etc' } })),
    /d\/: the xattr trusted\.overlay\.redirect, which is overlayfs's own/,
  ],
  "overlayfs's xattr on a file": [
    () => archive(file('f', { pax: { 'SCHILY.xattr.trusted.overlay.metacopy': '' } })),
    /f: the xattr trusted\.overlay\.metacopy/,
  ],
  "an ordinary user's overlayfs's xattr": [
    () => archive(dir('d/', { pax: { 'SCHILY.xattr.user.overlay.opaque': 'y' } })),
    /d\/: the xattr user\.overlay\.opaque/,
  ],
  'a NUL in a name': [() => archive(file('x', { pax: { path: 'a\0b' } })), /a\\u0000b: a name with a NUL/],
  'a NUL in a link': [
    () => archive({ ...symlink('x', 'y'), pax: { linkpath: 'a\0b' } }),
    /x: a name with a NUL/,
  ],
  'a part of 256 bytes': [
    () => archive(file('x', { pax: { path: 'n'.repeat(256) } })),
    /n: a name with a part of 256 bytes; 255 are the most/,
  ],
  'a name of 5000 bytes': [
    () => archive(file('x', { pax: { path: `${'dir/'.repeat(1250)}f` } })),
    /a name of 5001 bytes; 3800 are the most/,
  ],
  'a size below zero': [
    () => archive(file('x', { pax: { size: '-5' } })),
    /extended header whose size is "-5"/,
  ],
  'a size that is no number': [
    () => archive(file('x', { pax: { size: '1e3' } })),
    /header whose size is "1e3"/,
  ],
  'a size beyond all': [
    () => archive(file('x', { pax: { size: '9'.repeat(16) } })),
    /extended header whose size is "9999999999999999"/,
  ],
  'a size that is a lie': [() => archive(file('x', { size: 100_000 })), /it ends in the middle of x/],
  'a PAX size that is a lie': [
    () => archive(file('x', { pax: { size: '100000' } })),
    /ends in the middle of x/,
  ],
  'an owner that means "leave it"': [
    () => archive(file('x', { pax: { uid: '4294967295' } })),
    /x: the owner 4294967295/,
  ],
  'a directory with bytes of its own': [
    () => archive(dir('d/', { body: 'x' })),
    /d\/: a directory with 1 bytes/,
  ],
  'a symlink with bytes of its own': [
    () => archive({ ...symlink('s', 'x'), body: 'x' }),
    /s: a symlink with 1 bytes/,
  ],
  'a global path': [
    () => archive(paxHeader({ path: `${outside}/victim` }, 'g'), file('x')),
    /a global header that says path of all entries/,
  ],
  'a record whose length is wrong': [
    () => archive(entry({ path: 'p', type: 'x', body: '99 path=x\n' }), file('x')),
    /an extended header whose records have wrong lengths/,
  ],
  'a record without an end': [
    () => archive(entry({ path: 'p', type: 'x', body: '8 path=x' }), file('x')),
    /records have wrong lengths/,
  ],
  'a record twice': [
    () => archive(entry({ path: 'p', type: 'x', body: '10 path=a\n10 path=b\n' }), file('x')),
    /an extended header that has path twice/,
  ],
  'two extended headers': [
    () => archive(paxHeader({ path: 'a' }), paxHeader({ path: 'b' }), file('x')),
    /a second extended header for the same entry/,
  ],
  'two names, one of them in GNU form': [
    () => archive(entry({ path: 'l', type: 'L', body: 'long\0' }), file('x', { pax: { path: 'b' } })),
    /two headers that each say its path/,
  ],
  'an extended header of 2 MiB': [
    () => archive(entry({ path: 'p', type: 'x', body: Buffer.alloc(2 << 20, 'x') })),
    /a extended header of 2097152 bytes/,
  ],
  'an extended header about nothing': [
    () => archive(paxHeader({ path: 'a' })),
    /the end, right after a header/,
  ],
  'a wrong checksum': [
    () => archive(file('ok'), file('x', { checksum: 1 })),
    /after ok: a header whose checksum/,
  ],
  'a type that is not known': [() => archive(file('x', { type: 'Q' })), /x: an entry of type "Q"/],
  'a part of a volume': [() => archive(file('x', { type: 'M' })), /x: an entry of type "M"/],
  'one block of zeros': [
    () => Buffer.concat([entry(file('a')), END.subarray(512), entry(file('b')), END]),
    /after a: one block of zeros/,
  ],
  'an end in the middle of a header': [
    () => archive(file('a')).subarray(0, 300),
    /ends in the middle of the first/,
  ],
  'an end in the middle of a body': [
    () => archive(file('a', { body: 'x'.repeat(2000) })).subarray(0, 1500),
    /ends in the middle of a$/,
  ],
  'random bytes': [
    () => Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 251)),
    /checksum is wrong/,
  ],
};

describe('an archive with', () => {
  test.for(Object.entries(cases))('%s is refused by name', async ([, [tar, says]]) => {
    expect(await room.refusal(tar())).toMatch(says);
    expect(listing(outside)).toEqual(before);
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('untouched');
    // Neither under its digest nor half of it.
    const layers = room.store.layers;
    const left = readdirSync(layers).flatMap((name) => readdirSync(join(layers, name)));
    expect(left).toEqual([]);
  });
});

describe('limits', () => {
  const zeros = archive(file('zeros', { body: Buffer.alloc(80 << 20) }));

  test('a bomb of gzip ends where its ratio does', async () => {
    // One that gzip itself could make has 1032 at most, so the limit is a lower one here.
    const limits = { maxRatio: 500, anyRatio: 64 << 20 };
    const says = await room.refusal(zeros, limits, gzipSync(zeros));
    expect(says).toMatch(/layer: \d+ bytes out of \d+; more than 500 for one/);
  });
  test('a bomb of zstd, whose ratio may be thirty times that', async () => {
    const says = await room.refusal(zeros, { anyRatio: 64 << 20 }, zstdCompressSync(zeros));
    expect(says).toMatch(/more than 1100 for one/);
  });
  test('an empty disk of a virtual machine is none', async () => {
    // 300 MiB of zeros, in 10 KiB.
    const disk = archive(file('disk', { body: Buffer.alloc(300 << 20) }));
    const blob = zstdCompressSync(disk);
    expect(disk.length / blob.length).toBeGreaterThan(10_000);
    expect(statSync(join(await room.unpack(disk, {}, blob), 'disk')).size).toBe(300 << 20);
  });
  test('whoever names a size has any ratio up to it, and nothing beyond', async () => {
    const blob = zstdCompressSync(zeros);
    expect(await room.refusal(zeros, limitsOf({ maxSize: 80 << 20 }), blob)).toMatch(
      /more than 83886080 bytes/,
    );
    expect(await room.refusal(zeros, limitsOf({ maxSize: 81 << 20 }), blob)).toMatch(
      /^nothing: it was unpacked/,
    );
    expect(limitsOf({ maxSize: 2 ** 50 })).toMatchObject({ anyRatio: 2 ** 50, maxApparent: 2 ** 50 });
    rmSync(room.store.layers, { recursive: true });
    mkdirSync(room.store.layers);
  });
  test('bytes', async () => {
    expect(await room.refusal(zeros, { maxBytes: 1 << 20 }, gzipSync(zeros))).toMatch(
      /more than 1048576 bytes/,
    );
  });
  test('entries', async () => {
    const many = archive(...Array.from({ length: 50 }, (_, i) => file(`f${i}`)));
    expect(await room.refusal(many, { maxEntries: 49 })).toMatch(/more than 49 entries/);
  });
});

test('memory is not for the archive to fill: names and xattrs of directories', async () => {
  const value = Buffer.alloc(1_040_000, 'x');
  const many = Array.from({ length: 140 }, (_, i) =>
    dir(`d${i}/`, { pax: { 'SCHILY.xattr.user.a': value } }),
  );
  expect(await room.refusal(archive(...many))).toMatch(
    /d1[23]\d\/: with it, the names and xattrs of directories take more than 134217728 bytes/,
  );
});

test('what was put in the place of the folder at work is not followed, nor emptied', async () => {
  const tar = archive(file('a'));
  const partial = join(room.store.layers, 'partial');
  mkdirSync(partial, { recursive: true });
  const place = join(partial, digestOf(tar).replace(':', '-'));
  symlinkSync(outside, place);
  expect(await room.refusal(tar)).toMatch(/ELOOP|ENOTDIR/);
  expect(listing(outside)).toEqual(before);
  rmSync(place);
});

describe('what is not what it says', () => {
  const tar = archive(file('a'));

  test('another archive than the diff_id is of', async () => {
    const says = await room.refusal(tar, {}, archive(file('b')));
    expect(says).toMatch(/^layer sha256:[0-9a-f]{64}: its bytes are sha256:/);
  });
  test.for([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s, cut short', async ([, compress]) => {
    const whole = compress(
      archive(file('a', { body: Buffer.from(Array.from({ length: 9999 }, () => Math.random() * 256)) })),
    );
    expect(await room.refusal(tar, {}, whole.subarray(0, whole.length >> 1))).toMatch(
      /unexpected end|truncated|ends in the middle/i,
    );
  });
  test('gzip, with a bit turned', async () => {
    const broken = gzipSync(tar);
    const at = broken.length >> 1;
    broken[at] = (broken[at] ?? 0) ^ 0xff;
    expect(await room.refusal(tar, {}, broken)).not.toMatch(/^nothing/);
  });
  test('more behind the end changes the digest, and is never unpacked', async () => {
    const longer = Buffer.concat([tar, archive(file('smuggled'))]);
    expect(await room.refusal(tar, {}, longer)).toMatch(/its bytes are/);
    const folder = await room.unpack(longer);
    expect(existsSync(join(folder, 'smuggled'))).toBe(false);
  });
});
