/** What is written is what is read, in whatever pieces it comes; and what is broken is an error, and nothing worse. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../../src/image/tar/entry.ts';
import { formatRecord, parseRecords, recordTime } from '../../src/image/tar/pax.ts';
import { TarReader } from '../../src/image/tar/reader.ts';
import { END, headerOf, padding } from '../../src/image/tar/writer.ts';
import {
  archive,
  dir,
  entry,
  gnuSparse,
  type Part,
  sparseBody,
  sparseRecords,
  symlink,
} from '../support/tar.ts';

/** A byte a character, without NUL and slash. */
const bytes = (maxLength: number) =>
  fc
    .array(
      fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f),
      { minLength: 1, maxLength },
    )
    .map((all) => String.fromCharCode(...all));
const path = fc.array(bytes(90), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const id = fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constantFrom(2_097_151, 2_097_152, 0xfffffffe));
const mtime = fc.record({
  sec: fc.integer({ min: -5_000_000_000, max: 20_000_000_000 }),
  nsec: fc.integer({ min: 0, max: 999_999_999 }),
});
const xattrs = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom('user.a', 'user.b.c', 'security.capability', 'trusted.x'),
      fc.uint8Array({ maxLength: 300 }),
    ),
    {
      selector: ([name]) => name,
      maxLength: 3,
    },
  )
  .map((all) =>
    all.map(([name, value]) => [name, Buffer.from(value)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
const common = fc.record({
  path,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: id,
  gid: id,
  mtime,
  xattrs,
});
const nothing = { link: '', size: 0, major: 0, minor: 0 };
const body = fc.uint8Array({ maxLength: 2000 }).map((all) => Buffer.from(all));

const any: fc.Arbitrary<{ entry: Entry; body: Buffer }> = fc.oneof(
  fc.tuple(common, body).map(([one, body]) => ({
    entry: { ...one, ...nothing, type: 'file' as const, size: body.length },
    body,
  })),
  ...(['directory', 'fifo'] as const).map((type) =>
    common.map((one) => ({ entry: { ...one, ...nothing, type }, body: Buffer.alloc(0) })),
  ),
  ...(['symlink', 'link'] as const).map((type) =>
    fc
      .tuple(common, path)
      .map(([one, link]) => ({ entry: { ...one, ...nothing, type, link }, body: Buffer.alloc(0) })),
  ),
  fc
    .tuple(common, fc.integer({ min: 0, max: 4095 }), fc.integer({ min: 0, max: 0xfffff }))
    .map(([one, major, minor]) => ({
      entry: { ...one, ...nothing, type: 'char' as const, major, minor },
      body: Buffer.alloc(0),
    })),
);

/** @param cut lengths of the pieces, again and again. */
function read(tar: Buffer, cut: readonly number[] = [tar.length]): { entry: Entry; body: Buffer }[] {
  const found: { entry: Entry; body: Buffer }[] = [];
  const reader = new TarReader({
    entry: (entry) => void found.push({ entry, body: Buffer.alloc(0) }),
    data: (piece) => {
      const last = found.at(-1);
      if (last) last.body = Buffer.concat([last.body, piece]);
    },
    end: () => {},
  });
  for (let at = 0, i = 0; at < tar.length; i++) {
    const end = at + (cut[i % cut.length] ?? 1);
    reader.write(tar.subarray(at, end));
    at = end;
  }
  reader.close();
  return found;
}

test('written and read, in pieces of any size', () => {
  fc.assert(
    fc.property(
      fc.array(any, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 5 }),
      (entries, cut) => {
        const tar = Buffer.concat([
          ...entries.flatMap(({ entry, body }) => [headerOf(entry), body, padding(body.length)]),
          END,
        ]);
        // An old form of a directory is a file with a slash at its end, so those of ours have none here.
        expect(read(tar, cut)).toEqual(entries);
      },
    ),
    { numRuns: 300 },
  );
});

/** More parts than two blocks of the old form have room for. */
const map = Array.from({ length: 30 }, (_, i): Part => [1024 * i, 512]);
const torn = Array.from({ length: 30 }, (_, i) => String(i).padStart(512)).join('');
const sparse = [
  gnuSparse('gnu', 40_000, map, torn),
  { path: 'x', body: torn, pax: { 'GNU.sparse.size': '40000', 'GNU.sparse.map': map.join() } },
  { path: 'x', body: sparseBody(map, torn), pax: sparseRecords('1.0', 40_000) },
];

test('bytes of a file with holes come with their places, in pieces of any size', () => {
  const tar = archive(...sparse);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 5 }), (cut) => {
      const files = new Map<string, Buffer>();
      let last = Buffer.alloc(0);
      const reader = new TarReader({
        entry: ({ path, size }) => {
          last = Buffer.alloc(size);
          files.set(path, last);
        },
        data: (piece, at) => void piece.copy(last, at),
        end: () => {},
      });
      for (let at = 0, i = 0; at < tar.length; i++) {
        const end = at + (cut[i % cut.length] ?? 1);
        reader.write(tar.subarray(at, end));
        at = end;
      }
      reader.close();
      const whole = Buffer.alloc(40_000);
      for (const [i, [at]] of map.entries()) whole.write(torn.slice(512 * i, 512 * (i + 1)), at);
      expect([...files]).toEqual(['gnu', 'x', '1.0'].map((path) => [path, whole]));
    }),
    { numRuns: 20 },
  );
});

test('whatever bytes are changed, there is an answer or an error', () => {
  const whole = archive(
    dir('d/'),
    { path: 'd/f', body: 'x'.repeat(700), pax: { mtime: '1.5', 'SCHILY.xattr.user.a': 'b', path: 'd/long' } },
    symlink('s', 'd'),
    entry({ path: 'L', type: 'L', body: `${'n'.repeat(150)}\0` }),
    { path: 'short' },
    ...sparse,
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(whole.length),
      (changes, length) => {
        const broken = Buffer.from(whole.subarray(0, length));
        for (const [at, byte] of changes) if (at < length) broken[at] = byte;
        try {
          read(broken);
        } catch (error) {
          expect((error as Error).message).toMatch(/^layer: /);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('records count their own length', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-zA-Z.]{1,20}$/), fc.uint8Array({ maxLength: 1200 })), {
        selector: ([key]) => key,
      }),
      (pairs) => {
        const written = Buffer.concat(pairs.map(([key, value]) => formatRecord(key, Buffer.from(value))));
        expect([...parseRecords(written)]).toEqual(pairs.map(([key, value]) => [key, Buffer.from(value)]));
      },
    ),
  );
});

test.for([
  ['0', 0, 0],
  ['1.5', 1, 500_000_000],
  ['-1.5', -2, 500_000_000],
  ['-2', -2, 0],
  ['1600000000.1234567899', 1_600_000_000, 123_456_789],
] as const)('the time %s', ([text, sec, nsec]) => {
  expect(recordTime('mtime', Buffer.from(text))).toEqual({ sec, nsec });
});
