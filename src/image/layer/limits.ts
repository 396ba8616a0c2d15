/** What a layer may at most be: it comes from somebody else, and a few KiB can be a disk full of zeros. */
import { shown } from '../../sys/at.ts';
import type { Entry } from '../tar/entry.ts';
import type { Handler } from '../tar/reader.ts';
import type { Region } from '../tar/sparse.ts';

export interface Limits {
  /** Of the archive, uncompressed; and of what is written of it, where a file with holes takes more. */
  maxBytes: number;
  /** Of all files together, holes counted: they take no room, until somebody copies them who knows of no holes. */
  maxApparent: number;
  maxEntries: number;
  /** Uncompressed bytes for each compressed one, beyond the first `anyRatio` bytes. */
  maxRatio: number;
  anyRatio: number;
}

/**
 * The bytes are what protects a disk; the ratio, that it is not filled for nothing. 1100 is a little more than gzip can reach (1032, RFC
 * 1951), so it refuses no gzip, and whoever wants to fill a disk with one has to send a thousandth of it. zstd reaches 32000: a block of
 * 128 KiB in four bytes (RFC 8878). That is no sign of malice: a virtual machine's disk, empty but for its file system, is mostly zeros.
 * So up to 4 GiB, which a large image has honestly and a disk survives, any ratio will do. Beyond, its user says so (--max-size).
 */
export const usual: Limits = {
  maxBytes: 64 * 2 ** 30,
  maxApparent: 2 ** 40,
  maxEntries: 4_000_000,
  maxRatio: 1100,
  anyRatio: 4 * 2 ** 30,
};

/** Who names a size has thought of it: it takes the place of all that is said of sizes. */
export const limitsOf = ({
  maxSize,
  maxEntries,
}: {
  maxSize?: number | undefined;
  maxEntries?: number | undefined;
}): Partial<Limits> => ({
  ...(maxSize === undefined
    ? {}
    : { maxBytes: maxSize, anyRatio: maxSize, maxApparent: Math.max(maxSize, usual.maxApparent) }),
  ...(maxEntries === undefined ? {} : { maxEntries }),
});

/** @param compressed,size what was read so far, and what came out of it. @throws Error if that is too much. */
export function checkSize({ maxBytes, maxRatio, anyRatio }: Limits, compressed: number, size: number): void {
  if (size > maxBytes) throw new Error(`layer: more than ${maxBytes} bytes${FLAG}`);
  if (size > anyRatio && size > maxRatio * compressed)
    throw new Error(`layer: ${size} bytes out of ${compressed}; more than ${maxRatio} for one${FLAG}`);
}

/** Of image pull, load and import. */
const FLAG = '; if it may be so large, fetch it with --max-size';

/** A handler that counts before it hands on. */
export function limited(handler: Handler, { maxBytes, maxApparent, maxEntries }: Limits): Handler {
  let [entries, apparent, written] = [0, 0, 0];
  return {
    entry(entry) {
      if (++entries > maxEntries) throw new Error(`layer: more than ${maxEntries} entries`);
      apparent += entry.size;
      written += roomOf(entry);
      const tooMuch = (what: string) => new Error(`layer: ${shown(entry.path)}: with it, ${what}${FLAG}`);
      if (apparent > maxApparent)
        throw tooMuch(`the files have more than ${maxApparent} bytes, holes counted`);
      if (written > maxBytes) throw tooMuch(`more than ${maxBytes} bytes`);
      handler.entry(entry);
    },
    data: (bytes, at) => handler.data(bytes, at),
    end: () => handler.end(),
  };
}

/** Of a file system's; 512 bytes here and there take eight times as much. */
const BLOCK = 4096;

function roomOf({ size, sparse }: Entry): number {
  if (!sparse) return size;
  const blocks = ([at, length]: Region) =>
    length === 0 ? 0 : Math.ceil((at + length) / BLOCK) - Math.floor(at / BLOCK);
  return sparse.reduce((sum, region) => sum + BLOCK * blocks(region), 0);
}
