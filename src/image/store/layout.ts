/** An OCI image layout as a folder (image-spec, image-layout.md): blobs by digest, and index.json that names images. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Index, mediaTypes } from '../types.ts';
import { asIndex } from './shapes.ts';

const VERSION = '1.0.0';

/** The annotation of an entry of index.json that holds the image's name. */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** Makes what is missing of it. */
export function makeLayout(folder: string): void {
  for (const name of ['blobs/sha256', 'partial'])
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  const file = join(folder, 'oci-layout');
  if (!existsSync(file)) writeWhole(file, JSON.stringify({ imageLayoutVersion: VERSION }));
}

/** @throws Error if the layout is of a version that is not known here. */
export function readIndex(folder: string): Index {
  const layout = read(join(folder, 'oci-layout'));
  if (layout === undefined) return { schemaVersion: 2, manifests: [] };
  const version = JSON.parse(layout).imageLayoutVersion;
  if (version !== VERSION)
    throw new Error(`${folder}/oci-layout: it is of version ${version}; known is ${VERSION}`);
  const text = read(join(folder, 'index.json'));
  return text === undefined ? { schemaVersion: 2, manifests: [] } : asIndex(JSON.parse(text));
}

/** Only under the layout's lock: who else writes meanwhile loses what they wrote. */
export function writeIndex(folder: string, manifests: Index['manifests']): void {
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  writeWhole(join(folder, 'index.json'), JSON.stringify(index));
}

/** All of it or nothing, also after a power cut. */
export function writeWhole(file: string, bytes: string | Uint8Array): void {
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, bytes, { mode: 0o600, flush: true });
  renameSync(beside, file);
}

/** rename(2) is only durable when its directory is. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
