/** The same image, unpacked, packed, and handed to and fro by others: umoci, skopeo, podman and GNU tar. The trees are the same to the last bit. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { list } from 'tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importImage } from '../../../src/image/import.ts';
import { packIntoStore } from '../../../src/image/layer/pack.ts';
import { ensureLayers } from '../../../src/image/layer/unpack.ts';
import { loadImages } from '../../../src/image/load.ts';
import { saveImages } from '../../../src/image/save.ts';
import { Store } from '../../../src/image/store/store.ts';
import { ImageRoom, listing, oddTree } from '../../support/images.ts';

const NAME = 'example.org/odd:1';
let room: ImageRoom;
let tree: string;
let wanted: string[];

beforeAll(async () => {
  room = new ImageRoom();
  tree = oddTree(room.make('tree'));
  wanted = listing(tree);
  room.store.tag(NAME, await importImage(room.store, tree, {}, { Cmd: ['/bin/sh'] }));
});
afterAll(() => room[Symbol.dispose]());

const sh = (script: string) => execFileSync('sh', ['-ec', script], { cwd: room.folder, encoding: 'utf8' });
const has = (program: string) => spawnSync(program, ['--version']).status === 0;
const layout = () => `oci:${room.store.folder}:${NAME}`;
const unpacked = async (store: Store, name = NAME) =>
  (await ensureLayers(store, store.resolve(name))).at(-1) ?? '';

test('the tree, packed and unpacked, is the tree', async () => {
  expect(wanted.length).toBeGreaterThan(45);
  expect(listing(await unpacked(room.store))).toEqual(wanted);
});

test('the same tree gives the same bytes, also of its unpacked copy', async () => {
  const [a, b] = [
    await packIntoStore(room.store, tree),
    await packIntoStore(room.store, await unpacked(room.store)),
  ];
  expect(b).toEqual(a);
});

test.for([
  ['pax', '--format=pax --xattrs --xattrs-include=*', (bytes: Buffer) => bytes],
  ['pax, gzip', '--format=pax --xattrs --xattrs-include=*', (bytes: Buffer) => gzipSync(bytes)],
  ['pax, zstd', '--format=pax --xattrs --xattrs-include=*', (bytes: Buffer) => zstdCompressSync(bytes)],
] as const)('what GNU tar packs (%s) is the tree', async ([, options, compress]) => {
  sh(`tar -C tree --numeric-owner ${options} -cf gnu.tar .`);
  const tar = readFileSync(join(room.folder, 'gnu.tar'));
  expect(listing(await room.unpack(tar, {}, compress(tar)))).toEqual(wanted);
});

/** They have no room for xattrs, nor for parts of seconds. */
const bare = (lines: readonly string[]) =>
  lines.filter((line) => !line.startsWith('# file')).map((line) => line.replace(/(\d{9,10})\.\d+/, '$1'));

test.for(['gnu', 'oldgnu'])('what GNU tar packs as %s is the tree, as far as that goes', async (format) => {
  // A time before 1970 has parts of a second that both round, each its way.
  sh(
    `rm -rf plain; cp -a tree plain; touch -d @5 plain/a; tar -C plain --numeric-owner --format=${format} -cf gnu.tar .`,
  );
  const folder = await room.unpack(readFileSync(join(room.folder, 'gnu.tar')));
  expect(bare(listing(folder))).toEqual(bare(listing(join(room.folder, 'plain'))));
});

test('GNU tar unpacks what tslab packed, and the tar package lists it', async () => {
  const { descriptor } = await packIntoStore(room.store, tree);
  const blob = room.store.blobPath(descriptor.digest);
  const out = room.make('gnu-out');
  sh(`tar -C gnu-out --numeric-owner --xattrs --xattrs-include='*' -xpzf ${blob}`);
  expect(listing(out)).toEqual(wanted);
  const names: string[] = [];
  await list({ file: blob, gzip: true, strict: true, onReadEntry: ({ path }) => void names.push(path) });
  expect(names.length).toBe(Number(sh('find tree -printf x | wc -c')));
});

test('umoci unpacks the same tree', async (ctx) => {
  ctx.skip(!has('umoci'), 'needs umoci');
  // It takes plain names only.
  room.store.tag('odd', room.store.resolve(NAME).descriptor);
  sh(`umoci raw unpack --image ${room.store.folder}:odd umoci-out`);
  room.store.untag('odd');
  // It notes in an xattr what it could not set; here that is nothing.
  expect(listing(join(room.folder, 'umoci-out'))).toEqual(wanted);
});

test('skopeo takes it out and brings it in again', async (ctx) => {
  ctx.skip(!has('skopeo'), 'needs skopeo');
  sh(`skopeo --insecure-policy copy -q ${layout()} oci:${room.folder}/out:x`);
  const other = new Store(join(room.folder, 'other/images'));
  other.hold();
  sh(`skopeo --insecure-policy copy -q oci:${room.folder}/out:x oci:${other.folder}:${NAME}`);
  expect(other.resolve(NAME).descriptor.digest).toBe(room.store.resolve(NAME).descriptor.digest);
  expect(listing(await unpacked(other))).toEqual(wanted);
  other.close();
});

test.for(['oci-archive', 'docker-archive'] as const)('%s: save, skopeo, load', async (transport, ctx) => {
  ctx.skip(!has('skopeo'), 'needs skopeo');
  const [ours, theirs] = [join(room.folder, `${transport}-1.tar`), join(room.folder, `${transport}-2.tar`)];
  await saveImages(room.store, [room.store.resolve(NAME)], createWriteStream(ours));
  sh(`skopeo --insecure-policy copy -q ${transport}:${ours}:${NAME} ${transport}:${theirs}:${NAME}`);
  for (const [i, file] of [ours, theirs].entries()) {
    using other = new Store(join(room.folder, `${transport}-${i}/images`));
    expect(await loadImages(other, createReadStream(file))).toEqual([NAME]);
    expect(other.resolve(NAME).config.config?.Cmd).toEqual(['/bin/sh']);
    expect(listing(await unpacked(other))).toEqual(wanted);
  }
});

/** It takes what is before 1970 for 1970, and gives the root of a tree no time. */
const asPodman = (lines: readonly string[]) =>
  lines.filter((line) => !line.startsWith(' d ')).map((line) => line.replace(/ -2\.25\d*/, ' 0.0000000000'));

test('podman has the same tree of it, and tslab of what podman saved', async (ctx) => {
  ctx.skip(!has('podman'), 'needs podman');
  const folder = mkdtempSync(join(tmpdir(), 'tslab-podman-'));
  const podman = `podman --root ${folder}/root --runroot ${folder}/run --storage-driver vfs`;
  try {
    sh(
      `skopeo --insecure-policy copy -q ${layout()} 'containers-storage:[vfs@${folder}/root+${folder}/run]${NAME}'`,
    );
    const mounted = sh(`${podman} image mount ${NAME}`).trim();
    expect(asPodman(listing(mounted))).toEqual(asPodman(wanted));
    sh(
      `${podman} image umount ${NAME} >/dev/null; ${podman} save -q --format docker-archive -o podman.tar ${NAME}`,
    );
    using other = new Store(join(room.folder, 'podman/images'));
    expect(await loadImages(other, createReadStream(join(room.folder, 'podman.tar')))).toEqual([NAME]);
    expect(listing(await unpacked(other))).toEqual(wanted);
  } finally {
    spawnSync('sh', ['-c', `${podman} image umount -a -f; ${podman} unshare true`]);
    rmSync(folder, { recursive: true, force: true });
  }
});
