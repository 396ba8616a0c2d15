/** Any tree, packed and unpacked, is that tree. */
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packIntoStore } from '../../../src/image/layer/pack.ts';
import { unpackLayer } from '../../../src/image/layer/unpack.ts';
import { ImageRoom, listing } from '../../support/images.ts';

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '.dot', ' blank', '-n', 'ü', 'x'.repeat(150), '..x', 'wh.x'),
  fc
    .stringMatching(/^[!-.0-~]{1,12}$/)
    .filter((text) => !['.', '..'].includes(text) && !text.startsWith('.wh.')),
);
const node = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom('file', 'dir', 'symlink', 'hard'),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 1, 1000, 65_534, 4_000_000),
  text: fc.string({ maxLength: 2000 }),
  time: fc.integer({ min: -1e9, max: 4e9 }),
});
type Node = typeof node extends fc.Arbitrary<infer T> ? T : never;

/** What does not fit to what is there already is left out. */
function plant(root: string, nodes: readonly Node[]): void {
  let last = '';
  for (const { path, kind, mode, uid, text, time } of nodes) {
    const at = join(root, ...path);
    try {
      mkdirSync(dirname(at), { recursive: true });
      if (kind === 'dir') mkdirSync(at);
      if (kind === 'file') writeFileSync(at, text, { flag: 'wx' });
      if (kind === 'symlink') symlinkSync(text.replaceAll('\0', '').slice(0, 500) || 'x', at);
      if (kind === 'hard') linkSync(last, at);
      if (kind === 'file') last = at;
      if (kind === 'file' || kind === 'dir') chownSync(at, uid, uid);
      if (kind === 'file' || kind === 'dir') chmodSync(at, mode);
      if (kind !== 'hard') lutimesSync(at, time / 3, time / 3);
    } catch {}
  }
}

test('packed, unpacked, and packed again', { timeout: 120_000 }, async () => {
  using room = new ImageRoom();
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(node, { maxLength: 25 }), async (nodes) => {
      const tree = room.make(`tree-${++count}`);
      plant(tree, nodes);
      const { descriptor, diffId } = await packIntoStore(room.store, tree);
      const folder = await unpackLayer(room.store, descriptor, diffId);
      expect(listing(folder)).toEqual(listing(tree));
      expect((await packIntoStore(room.store, folder)).descriptor).toEqual(descriptor);
      rmSync(tree, { recursive: true });
    }),
    { numRuns: 60 },
  );
});
