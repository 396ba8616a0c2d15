/** A host for containers of images: its data folder is a temporary one, seen in mount namespaces of the tests' own commands. */
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { digestOf } from '../../src/image/store/digest.ts';
import { Store } from '../../src/image/store/store.ts';
import { type ContainerConfig, mediaTypes } from '../../src/image/types.ts';
import { packageRoot } from '../../src/package-root.ts';

export class ImageHost {
  readonly folder = mkdtempSync(join(tmpdir(), 'tslab-images-'));
  readonly data: string;
  readonly store: Store;

  /** @param data another user's data folder, which is there already. */
  constructor(data?: string) {
    mkdirSync('/var/lib/tslab', { recursive: true, mode: 0o711 });
    this.data = data ?? join(this.folder, 'data');
    mkdirSync(this.data, { recursive: true });
    this.store = new Store(join(this.data, 'images'));
  }

  /** The words before a command that show it the data folder in its place. */
  readonly prefix = (): string[] => {
    const script = 'mount --bind "$1" /var/lib/tslab && shift && exec "$@"';
    return ['unshare', '--mount', 'sh', '-c', script, 'sh', this.data];
  };

  run(...command: string[]): SpawnSyncReturns<string> {
    const [first = '', ...rest] = [...this.prefix(), ...command];
    return spawnSync(first, rest, { encoding: 'utf8', timeout: 60_000, cwd: '/' });
  }

  tslab(...args: string[]): SpawnSyncReturns<string> {
    return this.run(join(packageRoot, 'bin/tslab'), ...args);
  }

  /**
   * Makes an image. The first layer is a copy of the default root file system.
   *
   * @param layers what the further ones hold: text by path.
   * @returns the folders of its layers, the lowest first.
   */
  image(name: string, config: ContainerConfig = {}, ...layers: Record<string, string>[]): string[] {
    const folders = [undefined, ...layers].map((files, i) => {
      const id = digestOf(Buffer.from(files ? `${name} ${i} ${JSON.stringify(files)}` : 'base'));
      const folder = join(this.store.layers, 'sha256', id.replace('sha256:', ''));
      if (files) writeFiles(folder, files);
      else copyDefault(folder);
      return { id, folder };
    });
    const put = (value: object, type: string) => this.store.put(Buffer.from(JSON.stringify(value)), type);
    const document = { architecture: process.arch === 'x64' ? 'amd64' : 'arm64', os: 'linux', config };
    const diff_ids = folders.map(({ id }) => id);
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: put({ ...document, rootfs: { type: 'layers', diff_ids } }, mediaTypes.config),
      layers: diff_ids.map((id) => this.store.put(Buffer.from(id), mediaTypes.tar)),
    };
    this.store.tag(name, put(manifest, mediaTypes.manifest));
    return folders.map(({ folder }) => folder);
  }

  [Symbol.dispose](): void {
    this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function copyDefault(folder: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('cp', ['-a', `${join(packageRoot, 'dist/rootfs/default')}/.`, folder]);
}

function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
