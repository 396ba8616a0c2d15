/** The flags by which an image's layers may be larger than usual, or must be smaller: then they are unpacked at once. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Limits } from '../image/layer/limits.ts';
import type { Store } from '../image/store/store.ts';
import type { Image } from '../image/types.ts';

export interface LimitFlags {
  maxSize?: string;
  maxEntries?: number;
}

export const limitFlags = (command: Command): Command =>
  command
    .option(
      '--max-size <size>',
      'unpack its layers now, none of more bytes than that (default: 64g, when it is run)',
    )
    .option(
      '--max-entries <n>',
      'unpack its layers now, none of more files than that (default: 4000000)',
      count,
    );

function count(text: string): number {
  if (!/^[1-9]\d{0,11}$/.test(text)) throw new InvalidArgumentError('It takes a whole number above zero.');
  return Number(text);
}

export interface Judge {
  readonly limits: Partial<Limits>;
  /** Unpacks; what is refused has no name yet, and goes with the next prune. */
  readonly judge: (image: Image) => Promise<void>;
}

/** @returns undefined without such a flag: layers wait then until somebody needs them. */
export async function judgeOf(store: Store, { maxSize, maxEntries }: LimitFlags): Promise<Judge | undefined> {
  if (maxSize === undefined && maxEntries === undefined) return undefined;
  const { limitsOf } = await import('../image/layer/limits.ts');
  const { ensureLayers } = await import('../image/layer/unpack.ts');
  const { size } = await import('./resource-flags.ts');
  const bytes = size('--max-size', maxSize);
  if (bytes !== undefined && bytes <= 0)
    throw new Error(`--max-size ${maxSize}: it takes a size, such as 100g`);
  const limits = limitsOf({ maxSize: bytes, maxEntries });
  const note = (text: string) => console.error(`tslab: note: ${text}`);
  return { limits, judge: async (image) => void (await ensureLayers(store, image, { ...limits, note })) };
}
