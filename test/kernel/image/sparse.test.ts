/** Files with holes in a layer: what GNU tar wrote has its bytes and its holes; a map that lies is refused by the entry's name. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageRoom, listing } from '../../support/images.ts';
import { archive, gnuSparse, type Part, type Said, sparseBody, sparseRecords } from '../../support/tar.ts';

let room: ImageRoom;
let tree: string;
let wanted: string[];

beforeAll(() => {
  room = new ImageRoom();
  tree = room.make('tree');
  const script = `
    long=$(head -c 150 /dev/zero | tr '\\0' n)
    truncate -s 5M holes-only; head -c 700 /dev/urandom > then-hole; truncate -s 1M then-hole
    truncate -s 64K odd-end; head -c 1234 /dev/urandom >> odd-end
    : > torn; for i in $(seq 0 60); do head -c 5000 /dev/urandom | dd of=torn bs=4096 seek=$((100 * i)) conv=notrunc status=none; done
    ln torn hard; truncate -s 2M "$long"; echo x >> "$long"; echo plain > plain`;
  execFileSync('sh', ['-ec', script], { cwd: tree });
  wanted = listing(tree);
});
afterAll(() => room[Symbol.dispose]());

const blocks = (folder: string) =>
  readdirSync(folder)
    .sort()
    .map((name) => `${name} ${statSync(join(folder, name)).blocks}`);

test.for([
  ['oldgnu', '--format=oldgnu'],
  ['gnu', '--format=gnu'],
  ['0.0', '--format=posix --sparse-version=0.0'],
  ['0.1', '--format=posix --sparse-version=0.1'],
  ['1.0', '--format=posix --sparse-version=1.0'],
])('what GNU tar packs as %s has the same bytes, and the same holes', async ([, format = '']) => {
  const tar = execFileSync('tar', ['-C', tree, '--numeric-owner', '-S', ...format.split(' '), '-c', '.'], {
    maxBuffer: 1 << 26,
  });
  // Else it is no sparse archive.
  expect(tar.length).toBeLessThan(2 << 20);
  const folder = await room.unpack(tar);
  const whole = (lines: string[]) => lines.map((line) => line.replace(/(\d{9,10})\.\d+/, '$1'));
  expect(whole(listing(folder))).toEqual(whole(wanted));
  expect(blocks(folder)).toEqual(blocks(tree));
});

test.for(['gnu', 'posix'])(
  'sizes beyond 8 GiB, for which the old fields have no room: %s',
  async (format) => {
    const huge = room.make('huge');
    execFileSync('sh', ['-ec', 'truncate -s 9G f; echo end >> f'], { cwd: huge });
    const tar = execFileSync('tar', ['-C', huge, '-S', `--format=${format}`, '-c', 'f']);
    const file = join(await room.unpack(tar), 'f');
    expect(statSync(file)).toMatchObject({ size: 9 * 2 ** 30 + 4, blocks: 8 });
    expect(execFileSync('tail', ['-c', '6', file])).toEqual(Buffer.from('\0\0end\n'));
  },
);

test('an archive of bsdtar, which has its own way with 1.0', async (ctx) => {
  let tar = Buffer.alloc(0);
  try {
    tar = execFileSync('bsdtar', ['-C', tree, '--format=pax', '-cf', '-', '.'], { maxBuffer: 1 << 26 });
  } catch {
    ctx.skip(true, 'needs bsdtar');
  }
  expect(tar.toString('latin1')).toContain('GNU.sparse.realsize');
  const folder = await room.unpack(tar);
  const sums = (lines: string[]) => lines.filter((line) => /^[0-9a-f]{64} /.test(line));
  expect(sums(listing(folder))).toEqual(sums(wanted));
});

const kib = 'x'.repeat(1024);
/** In each form: the same map, and the same bytes. */
const forms: Record<string, (size: number, map: readonly Part[], body: string) => Said | Buffer> = {
  gnu: (size, map, body) => gnuSparse('f', size, map, body),
  '0.0': (size, map, body) => ({
    path: 'f',
    body,
    pax: [
      ['GNU.sparse.size', String(size)],
      ...map.flatMap(([offset, length]): [string, string][] => [
        ['GNU.sparse.offset', String(offset)],
        ['GNU.sparse.numbytes', String(length)],
      ]),
    ],
  }),
  '0.1': (size, map, body) => ({
    path: 'other',
    body,
    pax: { 'GNU.sparse.name': 'f', 'GNU.sparse.size': String(size), 'GNU.sparse.map': map.join() },
  }),
  '1.0': (size, map, body) => ({ path: 'other', body: sparseBody(map, body), pax: sparseRecords('f', size) }),
};

describe.for(Object.entries(forms))('a map in the form of %s', ([form, make]) => {
  test('of parts here and there', async () => {
    const map = Array.from({ length: 60 }, (_, i): Part => [8192 * i + 4096, 512]);
    const body = Array.from({ length: 60 }, (_, i) => String.fromCharCode(65 + (i % 26)).repeat(512)).join(
      '',
    );
    const folder = await room.unpack(archive(make(600_000, map, body), { path: `plain-${form}` }));
    const file = Buffer.alloc(600_000);
    for (const [i, [at]] of map.entries()) file.write(body.slice(512 * i, 512 * (i + 1)), at);
    expect(readFileSync(join(folder, 'f')).equals(file)).toBe(true);
    // The file system's blocks of 4 KiB, and not the 147 of the whole.
    expect(statSync(join(folder, 'f')).blocks).toBeLessThanOrEqual(8 * 64);
  });

  test.for<[string, number, Part[], string, RegExp]>([
    [
      'overlapping',
      9000,
      [
        [0, 512],
        [511, 512],
      ],
      kib,
      /f: .*parts overlap, or are out of order/,
    ],
    [
      'unordered',
      9000,
      [
        [4096, 512],
        [0, 512],
      ],
      kib,
      /f: .*parts overlap, or are out of order/,
    ],
    [
      'beyond the end',
      1000,
      [
        [0, 512],
        [512, 512],
      ],
      kib,
      /f: .*beyond the end of the file/,
    ],
    ['far beyond all', 2 ** 40, [[2 ** 53 - 512, 512]], kib.slice(512), /f: .*beyond the end of the file/],
    [
      'longer than the data',
      9000,
      [
        [0, 512],
        [1024, 1024],
      ],
      kib,
      /f: a sparse map of 1536 bytes, where the archive has 1024/,
    ],
    [
      'shorter than the data',
      9000,
      [[0, 512]],
      kib,
      /f: a sparse map of 512 bytes, where the archive has 1024/,
    ],
    [
      'whose parts end within blocks',
      9000,
      [
        [0, 500],
        [1024, 524],
      ],
      kib,
      /f: .*a part that ends within a block/,
    ],
    [
      'of a file of 2 TiB',
      2 ** 41,
      [[0, 1024]],
      kib,
      /f: with it, the files have more than 1099511627776 bytes/,
    ],
    [
      'of 262145 parts',
      9000,
      Array.from({ length: 262_145 }, (): Part => [0, 0]),
      '',
      /f: a sparse map of more than 262144|extended header of \d+ bytes/,
    ],
  ])('%s is refused', async ([, size, map, body, says]) => {
    expect(await room.refusal(archive(make(size, map, body)))).toMatch(says);
    expect(readdirSync(join(room.store.layers, 'partial'))).toEqual([]);
  });
});

const records = (pax: Said['pax'], more: Partial<Said> = {}): Said => ({
  path: 'f',
  ...(pax && { pax }),
  ...more,
});
const size = { 'GNU.sparse.size': '9000' };

test.for<[string, Said | Buffer, RegExp]>([
  ['an offset below zero', gnuSparse('f', 9000, [[-512, 512]], kib.slice(512)), /f: .*no part of a file/],
  ['a length below zero', gnuSparse('f', 9000, [[512, -512]], ''), /f: .*no part of a file/],
  ['a size below zero', gnuSparse('f', -1, []), /f: a sparse file whose size is -1/],
  [
    'a negative number in a record',
    records({ ...size, 'GNU.sparse.map': '-1,1' }),
    /f: .*GNU.sparse.map is "-1"/,
  ],
  ['half a pair', records({ ...size, 'GNU.sparse.map': '0,1,2' }), /f: .*no part of a file/],
  ['no size', records({ 'GNU.sparse.map': '0,0' }), /f: a sparse file whose size is not said/],
  ['two sizes', records({ ...size, 'GNU.sparse.realsize': '9000' }), /f: .*size is said twice/],
  [
    'a number of parts that is wrong',
    records({ ...size, 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '9000,0' }),
    /f: .*of 1 parts that says it has 2/,
  ],
  ['a format to come', records({ ...size, 'GNU.sparse.major': '2' }), /f: a sparse file of format 2\.0/],
  [
    'a record that no format has',
    records({ ...size, 'GNU.sparse.more': '2' }),
    /f: a record "GNU\.sparse\.more"/,
  ],
  [
    'two offsets in a row',
    records([
      ['GNU.sparse.size', '9'],
      ['GNU.sparse.offset', '0'],
      ['GNU.sparse.offset', '1'],
    ]),
    /f: .*not pairs/,
  ],
  [
    'two maps',
    records([
      ['GNU.sparse.size', '9000'],
      ['GNU.sparse.map', '0,0'],
      ['GNU.sparse.map', '1,0'],
    ]),
    /GNU\.sparse\.map twice/,
  ],
  [
    'the letter and records',
    records(size, { type: 'S', gnu: Buffer.alloc(160) }),
    /f: .*of two formats at once/,
  ],
  ['the letter in a header of ustar', records(undefined, { type: 'S' }), /f: .*of two formats at once/],
  ['a directory with holes', records({ 'GNU.sparse.size': '0' }, { type: '5' }), /f: a sparse directory/],
  [
    'a hard link with holes',
    records({ 'GNU.sparse.size': '0' }, { type: '1', link: 'g' }),
    /f: a sparse link/,
  ],
  [
    'a map of letters',
    records(sparseRecords('f', 9), { body: 'many\n'.repeat(200) }),
    /f: .*no list of numbers/,
  ],
  [
    'a map of numbers without end',
    records(sparseRecords('f', 9), { body: '9'.repeat(2000) }),
    /f: .*no list of numbers/,
  ],
  [
    'a map that is longer than the entry',
    records(sparseRecords('f', 9), { body: '9\n1\n' }),
    /f: .*longer than the entry|is no list/,
  ],
  [
    'a map of many parts, said and not there',
    records(sparseRecords('f', 9), { body: '99999999\n'.repeat(99) }),
    /f: a sparse map of more than 262144 parts/,
  ],
  [
    'a name that climbs',
    records(sparseRecords('../../f', 9), { body: sparseBody([]) }),
    /\.\.\/f: a name with \.\. in it/,
  ],
  ['a NUL in its name', records(sparseRecords('a\0b', 9), { body: sparseBody([]) }), /a name with a NUL/],
])('%s is refused', async ([, one, says]) => {
  expect(await room.refusal(archive(one))).toMatch(says);
});

test('a file of which nothing is written may have any size that is allowed, and takes no room', async () => {
  const path = join(await room.unpack(archive(gnuSparse('f', 2 ** 39, [[2 ** 39, 0]]))), 'f');
  expect(statSync(path)).toMatchObject({ size: 2 ** 39, blocks: 0 });
  const many = Array.from({ length: 3 }, (_, i) => gnuSparse(`f${i}`, 2 ** 39, []));
  expect(await room.refusal(archive(...many))).toMatch(/f2: with it, the files have more than/);
});

test('parts of a file are counted as blocks of a file system', async () => {
  // 4 MiB in the archive, and 32 on the disk.
  const map = Array.from({ length: 8192 }, (_, i): Part => [8192 * i, 512]);
  const tar = archive(gnuSparse('f', 2 ** 30, map, Buffer.alloc(512 * 8192, 'x')));
  expect(await room.refusal(tar, { maxBytes: 20 << 20 })).toMatch(/f: with it, more than 20971520 bytes/);
  expect(statSync(join(await room.unpack(tar), 'f')).size).toBe(2 ** 30);
});

test('no image is loaded from an archive whose files have holes', async () => {
  const { loadImages } = await import('../../../src/image/load.ts');
  const file = join(room.folder, 'holes.tar');
  writeFileSync(file, archive(gnuSparse('index.json', 9000, [])));
  const { createReadStream } = await import('node:fs');
  await expect(loadImages(room.store, createReadStream(file))).rejects.toThrow(
    'archive: index.json: a sparse file',
  );
});
