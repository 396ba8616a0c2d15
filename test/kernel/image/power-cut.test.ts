/** A power cut right after a layer has its name: what the disk has by then is mounted as another file system, and looked at. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';
import { archive } from '../../support/tar.ts';

const FILES = 200;

/** Ends with a commit of ext4's journal, which comes every few seconds by itself: names are on the disk then, bytes are where they were. */
const unpack = (folder: string) => `
  import { closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
  import { dirname } from 'node:path';
  import { Store } from '${packageRoot}/src/image/store/store.ts';
  import { digestOf } from '${packageRoot}/src/image/store/digest.ts';
  import { unpackLayer } from '${packageRoot}/src/image/layer/unpack.ts';
  const tar = readFileSync('${folder}/layer.tar');
  using store = new Store('${folder}/mnt/data/images');
  const layer = await unpackLayer(store, store.put(tar, 'x'), digestOf(tar));
  const fd = openSync(dirname(layer), 'r');
  fsyncSync(fd);
  closeSync(fd);
  console.log(layer.replace('/mnt/', '/after/'));`;

test('a layer that has its name has its bytes', (ctx) => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-power-'));
  try {
    const files = Array.from({ length: FILES }, (_, i) => ({ path: `f${i}`, body: `${i} `.repeat(5000) }));
    writeFileSync(join(folder, 'layer.tar'), archive(...files));
    writeFileSync(join(folder, 'unpack.ts'), unpack(folder));
    const script = `
      cd ${folder}; truncate -s 64M disk; mkfs.ext4 -q disk; mkdir mnt after; mount -o loop disk mnt || exit 77
      layer=$('${process.execPath}' unpack.ts); cp disk cut; mount -o loop cut after
      cd "$layer"; find . -type f -size 0 | wc -l; cat $(ls -v) | sha256sum; ls | wc -l`;
    const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-ec', script], {
      encoding: 'utf8',
    });
    ctx.skip(status === 77, 'needs a loop device');
    expect(stderr).toBe('');
    const sum = spawnSync('sha256sum', { input: files.map(({ body }) => body).join(''), encoding: 'utf8' });
    expect(stdout).toBe(`0\n${sum.stdout}${FILES}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
