/** Whom a name means is found in an image's layers, and nowhere else. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readInLayers } from '../../src/image/layer-files.ts';
import { findUser } from '../../src/image/users.ts';

let folder: string;
let layers: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tslab-test-'));
  layers = ['1', '2', '3'].map((name) => join(folder, name));
  for (const layer of layers) mkdirSync(join(layer, 'etc'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (layer: number, path: string, text: string) =>
  writeFileSync(join(layers[layer] ?? '', path), text);

test('the uppermost passwd decides', () => {
  put(0, 'etc/passwd', 'app:x:1:1::/old:/bin/sh\n');
  put(1, 'etc/passwd', 'root:x:0:0::/root:/bin/sh\napp:x:10:20::/home/app:/bin/sh\nnohome:x:11:21\n');
  put(2, 'etc/group', 'app:x:20:\nmore:x:30:other,app\nbad:x:-1:app\n');
  expect(findUser('app', layers)).toEqual({ uid: 10, gid: 20, additionalGids: [30], home: '/home/app' });
  expect(findUser('10', layers)).toMatchObject({ uid: 10, gid: 20, additionalGids: [30] });
  expect(findUser('app:more', layers)).toMatchObject({ uid: 10, gid: 30, additionalGids: [] });
  expect(findUser('app:5', layers)).toMatchObject({ uid: 10, gid: 5 });
  expect(findUser('99', layers)).toEqual({ uid: 99, gid: 0, additionalGids: [] });
  expect(findUser('nohome', layers)).toEqual({ uid: 11, gid: 21, additionalGids: [] });
});

test.each(['ghost', 'app:ghost', ':5', 'a:b:c', '4294967295', '-1', ''])('%j means nobody', (text) => {
  put(0, 'etc/passwd', 'app:x:1:1::/:/bin/sh\n');
  expect(() => findUser(text, layers)).toThrow(/user/);
});

test('symlinks are followed inside the image, and never out of it', () => {
  writeFileSync(join(folder, 'outside'), 'secret');
  mkdirSync(join(layers[0] ?? '', 'real'));
  put(0, 'real/passwd', 'inside');
  symlinkSync('../../../../../../real/passwd', join(layers[1] ?? '', 'etc/passwd'));
  symlinkSync(join(folder, 'outside'), join(layers[2] ?? '', 'etc/group'));
  symlinkSync('loop', join(layers[2] ?? '', 'etc/loop'));
  expect(readInLayers(layers, '/etc/passwd')).toBe('inside');
  expect(readInLayers(layers, '/etc/group')).toBeUndefined();
  expect(readInLayers(layers, '/etc/loop')).toBeUndefined();
  expect(readInLayers(layers, '/../../outside')).toBeUndefined();
  expect(readInLayers(layers, '/etc')).toBeUndefined();
});

test('a file in the place of a directory hides what lies below', () => {
  put(0, 'etc/passwd', 'x');
  rmSync(join(layers[2] ?? '', 'etc'), { recursive: true });
  writeFileSync(join(layers[2] ?? '', 'etc'), '');
  expect(readInLayers(layers, '/etc/passwd')).toBeUndefined();
});
