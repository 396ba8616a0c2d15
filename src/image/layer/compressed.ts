/** How a stream is compressed: by its first bytes, as media types and file names have been wrong about it. */
import type { Readable, Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { mediaTypes } from '../types.ts';

/** Bytes that are handled at once. */
export const PIECE = 1 << 18;

export type Compression = 'gzip' | 'zstd' | 'none';

export const mediaTypeOf: Readonly<Record<Compression, string>> = {
  gzip: mediaTypes.tarGzip,
  zstd: mediaTypes.tarZstd,
  none: mediaTypes.tar,
};

const decompressors: Readonly<Record<Compression, () => Transform | undefined>> = {
  gzip: () => createGunzip({ chunkSize: PIECE }),
  zstd: () => createZstdDecompress({ chunkSize: PIECE }),
  none: () => undefined,
};

/** The stream is as it was afterwards. */
export async function compressionOf(raw: Readable): Promise<Compression> {
  let first = Buffer.alloc(0);
  while (first.length < 4) {
    const ended = await waitFor(raw);
    const piece: Buffer | null = raw.read();
    if (piece) first = Buffer.concat([first, piece]);
    else if (ended) break;
  }
  if (first.length > 0) raw.unshift(first);
  return named(first);
}

export const decompressorFor = async (raw: Readable): Promise<Transform | undefined> =>
  decompressors[await compressionOf(raw)]();

/** Resolves when there is something to read, or to true at the end. */
const waitFor = (raw: Readable): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const done = (ended: boolean) => () => {
      raw.off('readable', readable).off('end', end).off('error', reject);
      resolve(ended);
    };
    const [readable, end] = [done(false), done(true)];
    if (raw.readableEnded) resolve(true);
    else raw.once('readable', readable).once('end', end).once('error', reject);
  });

function named(first: Buffer): Compression {
  if (first.length < 4) return 'none';
  if (first.readUInt16BE() === 0x1f8b) return 'gzip';
  const magic = first.readUInt32LE();
  // Zstandard also has frames to be skipped (RFC 8878, 3.1.2), and some begin with one.
  const skippable = (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
  return magic === 0xfd2fb528 || skippable ? 'zstd' : 'none';
}
