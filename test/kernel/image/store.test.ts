/** The store when several want it at once, and when one is killed in the middle. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { putImage } from '../../../src/image/build.ts';
import { layerFolder } from '../../../src/image/layer/unpack.ts';
import { ownPlatform } from '../../../src/image/platform.ts';
import { saveImages } from '../../../src/image/save.ts';
import { digestOf } from '../../../src/image/store/digest.ts';
import { Store } from '../../../src/image/store/store.ts';
import { mediaTypes } from '../../../src/image/types.ts';
import { packageRoot } from '../../../src/package-root.ts';
import { ImageRoom, listing } from '../../support/images.ts';
import { archive } from '../../support/tar.ts';

let room: ImageRoom;
beforeEach(() => {
  room = new ImageRoom();
});
afterEach(() => room[Symbol.dispose]());

/** Another process that does this with a store of the same folder. */
function other(body: string): ChildProcess {
  const modules = ['store/store', 'layer/unpack'].map(
    (path) => `import * as ${path.split('/')[1]} from '${packageRoot}/src/image/${path}.ts';`,
  );
  const script = `${modules.join('\n')}\nconst store_ = new store.Store(${JSON.stringify(room.store.folder)});\n${body}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

const ended = async (child: ChildProcess): Promise<number | null> =>
  (child.exitCode ?? (await once(child, 'exit'))[0]) as number | null;

/** An image of one layer with some thousand files. */
function image(name = 'example.org/a:1') {
  const tar = archive(
    ...Array.from({ length: 3000 }, (_, i) => ({ path: `d${i % 50}/f${i}`, body: `${name} ${i}` })),
  );
  const layer = room.store.put(tar, mediaTypes.tar);
  const diffId = digestOf(tar);
  const manifest = putImage(room.store, { ...ownPlatform, rootfs: { type: 'layers', diff_ids: [diffId] } }, [
    layer,
  ]);
  room.store.tag(name, manifest);
  return { layer, diffId, folder: layerFolder(room.store, diffId) };
}

const unpackIt = ({ layer, diffId }: ReturnType<typeof image>) =>
  `await unpack.unpackLayer(store_, ${JSON.stringify(layer)}, '${diffId}');`;

test('three processes that unpack the same layer at once', async () => {
  const one = image();
  const children = [0, 1, 2].map(() => other(`${unpackIt(one)} process.stdout.write('done')`));
  expect(await Promise.all(children.map(ended))).toEqual([0, 0, 0]);
  expect(readdirSync(one.folder)).toHaveLength(50);
  expect(readdirSync(join(room.store.layers, 'partial'))).toEqual([]);
});

test('killed at any moment, nobody sees half a layer; the next one makes it whole', async () => {
  const one = image();
  const partial = join(room.store.layers, 'partial');
  const begun = () => existsSync(partial) && readdirSync(partial).length > 0;
  let halves = 0;
  for (let ms = 0; ms <= 40 && !existsSync(one.folder); ms += 4) {
    const child = other(unpackIt(one));
    while (!begun() && child.exitCode === null) await sleep(1);
    await sleep(ms);
    child.kill('SIGKILL');
    await ended(child);
    if (!existsSync(one.folder) && begun()) halves++;
  }
  expect(halves).toBeGreaterThan(0);
  expect(await ended(other(unpackIt(one)))).toBe(0);
  expect(listing(one.folder).filter((line) => / f 644 /.test(line))).toHaveLength(3000);
  expect(readdirSync(join(room.store.layers, 'partial'))).toEqual([]);
});

test('a prune takes what a killed one left, and nothing of one that lives', async () => {
  const one = image();
  const partial = join(room.store.layers, 'partial');
  mkdirSync(join(partial, `sha256-${'0'.repeat(64)}/d`), { recursive: true });
  const living = other(`
    const held = store_.ingest({ mediaType: 'x', digest: 'sha256:${'1'.repeat(64)}', size: 5 });
    held.write(Buffer.from('ab')); process.stdout.write('.'); setTimeout(() => {}, 60_000);`);
  await once(living.stdout as NodeJS.ReadableStream, 'data');
  await expect(room.store.prune()).rejects.toThrow(/another tslab is writing images here/);
  living.kill('SIGKILL');
  await ended(living);
  expect(readdirSync(room.store.partial)).toHaveLength(1);
  expect(await room.store.prune()).toEqual({ blobs: [], bytes: 0, layers: [] });
  expect(readdirSync(partial)).toEqual([]);
  expect(readdirSync(room.store.partial)).toEqual([]);
  expect(room.store.has(one.layer.digest)).toBe(true);
});

test('a broken off ingest is gone on with; a wrong one leaves nothing', async () => {
  const bytes = randomBytes(300_000);
  const descriptor = { mediaType: 'x', digest: digestOf(bytes), size: bytes.length };
  const first = other(`
    const one = store_.ingest(${JSON.stringify(descriptor)});
    one.write(Buffer.from('${bytes.subarray(0, 1000).toString('base64')}', 'base64')); process.kill(process.pid, 'SIGKILL');`);
  await ended(first);
  const second = room.store.ingest(descriptor);
  expect(second.offset).toBe(1000);
  second.write(bytes.subarray(1000));
  second.commit();
  expect(statSync(room.store.blobPath(descriptor.digest)).size).toBe(bytes.length);

  const wrong = room.store.ingest({ ...descriptor, digest: `sha256:${'2'.repeat(64)}` });
  wrong.write(bytes);
  expect(() => wrong.commit()).toThrow(/what came is sha256:/);
  const long = room.store.ingest({ ...descriptor, digest: `sha256:${'3'.repeat(64)}`, size: 10 });
  expect(() => long.write(bytes)).toThrow(/more than the 10 bytes/);
  expect(readdirSync(room.store.partial)).toEqual([]);
});

test('two that ingest the same blob: neither waits, and both succeed', () => {
  const bytes = randomBytes(1000);
  const descriptor = { mediaType: 'x', digest: digestOf(bytes), size: bytes.length };
  using twin = new Store(room.store.folder);
  const [a, b] = [room.store.ingest(descriptor), twin.ingest(descriptor)];
  a.write(bytes.subarray(0, 500));
  b.write(bytes);
  b.commit();
  a.write(bytes.subarray(500));
  a.commit();
  expect(room.store.read(descriptor.digest)).toEqual(bytes);
  expect(readdirSync(room.store.partial)).toEqual([]);
});

test('names that twenty processes give at once are all there', async () => {
  image();
  const manifest = room.store.images()[0]?.manifest;
  const children = Array.from({ length: 20 }, (_, i) =>
    other(`store_.tag('example.org/name:${i}', ${JSON.stringify(manifest)});`),
  );
  expect(new Set(await Promise.all(children.map(ended)))).toEqual(new Set([0]));
  expect(room.store.images()).toHaveLength(21);
});

test('a manifest that lies about a size is no image, and is not saved: the bytes would be entries of the archive', async () => {
  const { layer, diffId } = image();
  const config = { ...ownPlatform, rootfs: { type: 'layers' as const, diff_ids: [diffId] } };
  const lie = putImage(room.store, config, [{ ...layer, size: 0 }]);
  const says = `blob ${layer.digest}: it has ${layer.size} bytes; the manifest says 0`;
  expect(() => room.store.tag('example.org/lie:1', lie)).toThrow(says);
  const to = createWriteStream(join(room.folder, 'saved.tar'));
  await expect(saveImages(room.store, [room.store.image(lie)], to)).rejects.toThrow(says);
  await new Promise<void>((done) => to.end(done)); // what was written before is still on its way
});

test("a name that looks like a digest does not stand for another image's", () => {
  image('example.org/good:1');
  const good = room.store.resolve('example.org/good:1').descriptor.digest;
  image('example.org/bad:1');
  const bad = room.store.resolve('example.org/bad:1').descriptor;
  room.store.tag(`docker.io/library/${good}`, bad);
  for (const wanted of [good, good.slice(7)]) expect(room.store.resolve(wanted).descriptor.digest).toBe(good);
});

test('a blob whose bytes changed on the disk is not believed', () => {
  const one = room.store.put(Buffer.from('{"a":1}'), mediaTypes.config);
  truncateSync(room.store.blobPath(one.digest), 3);
  expect(() => room.store.read(one.digest)).toThrow(/its bytes are not those of its name/);
});

test("prune takes what has no name, but never a container's layers; with the last name, all folders", async () => {
  const [kept, used] = [image('example.org/kept:1'), image('example.org/used:1')];
  for (const one of [kept, used]) await ended(other(unpackIt(one)));
  const container = room.make('data/containers/box');
  const annotations = { 'org.tslab.overlay.lower': JSON.stringify([used.folder]) };
  writeFileSync(join(container, 'container.json'), JSON.stringify({ spec: { annotations } }));
  room.store.untag('example.org/used:1');
  room.store.close();
  const first = await room.store.prune();
  expect(first.layers).toEqual([]);
  expect(first.blobs).toContain(used.layer.digest);
  expect(existsSync(used.folder)).toBe(true);
  writeFileSync(join(container, 'container.json'), '{}');
  room.store.untag('example.org/kept:1');
  const second = await room.store.prune();
  expect(new Set(second.layers)).toEqual(new Set([kept.diffId, used.diffId]));
  expect(existsSync(room.store.folder) || existsSync(room.store.layers)).toBe(false);
});
