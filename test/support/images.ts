/** A store in a folder of its own, and what trees look like from outside. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type UnpackOptions, unpackLayer } from '../../src/image/layer/unpack.ts';
import { digestOf } from '../../src/image/store/digest.ts';
import { Store } from '../../src/image/store/store.ts';
import { mediaTypes } from '../../src/image/types.ts';

export class ImageRoom {
  readonly folder = mkdtempSync(join(tmpdir(), 'tslab-images-'));
  readonly store = new Store(join(this.folder, 'data/images'));

  make(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** @param tar uncompressed. @param blob what the store is given instead. @returns the layer's folder. */
  async unpack(tar: Buffer, options: UnpackOptions = {}, blob = tar): Promise<string> {
    return await unpackLayer(this.store, this.store.put(blob, mediaTypes.tar), digestOf(tar), options);
  }

  /** The words of the refusal. */
  refusal(tar: Buffer, options: UnpackOptions = {}, blob = tar): Promise<string> {
    return this.unpack(tar, options, blob).then(
      (folder) => `nothing: it was unpacked into ${folder}`,
      (error: Error) => error.message,
    );
  }

  [Symbol.dispose](): void {
    this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * All that a tree is, as GNU tar and getfattr see it: names, types, owners, permissions, sizes, links, times to the nanosecond, devices, xattrs, and
 * the contents' checksums. One line each, sorted.
 */
export function listing(folder: string): string[] {
  const script = `
    find . -mindepth 1 ! -type d -printf '%P %y %m %U %G %s %n %T@ %l\\n'
    find . -type d -printf '%P %y %m %U %G %T@\\n'
    find . -type f -printf '%P\\0' | xargs -0 -r sha256sum
    find . \\( -type b -o -type c \\) -exec stat -c '%n device %t:%T' {} +
    getfattr -R -P -h -d -m - -e hex . 2>/dev/null | tr '\\n' ' ' | sed 's/# file/\\n# file/g'`;
  return execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'latin1', maxBuffer: 1 << 28 })
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** A folder with one of everything that Linux keeps in a file system. */
export function oddTree(folder: string): string {
  const script = `
    mkdir -p d/deep empty sticky "$(printf 'latin\\351')"; chmod 1777 sticky; chmod 2750 d
    echo text > a; ln a d/hard; ln -s ../a d/sym; ln -s /nowhere/at/all dangling; ln d/sym d/sym-hard
    mknod c c 5 1; mknod b b 8 300; mkfifo f
    cp /bin/true suid; chmod 4755 suid; cp /bin/true cap; setcap cap_net_raw+ep cap
    setfattr -n user.bytes -v 0x00ff0a3d d/deep; setfattr -n user.text -v value a; setfattr -n trusted.own -v 1 a; setfattr -h -n trusted.on -v 2 d/sym
    printf x > "$(printf 'lat\\351')"; printf y > 'né 你'; printf z > "$(printf 'new\\nline')"; printf q > ' blank '
    l=$(head -c 200 /dev/zero | tr '\\0' l); mkdir -p "$l/$l"; printf w > "$l/$l/$l"; ln -s "$l/$l/$l" long-link; ln "$l/$l/$l" long-hard
    head -c 3000000 /dev/urandom > big; truncate -s 5000000 hole; printf '' > nothing
    chown 3000000:4000000 big; chown -h 12:34 d/sym; chown 65534 empty; chmod 000 nothing; chmod 7777 d/deep
    touch -d '1969-12-31 23:59:58.25' a; touch -d '2040-02-03 04:05:06.123456789' big; touch -h -d '2001-01-01 00:00:00.5' d/sym; touch -d @0 f
    touch -d '2020-02-02 02:02:02.2' d/deep d empty "$l" . c`;
  execFileSync('sh', ['-ec', script], { cwd: folder });
  return folder;
}
