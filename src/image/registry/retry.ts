/** Trying again: what is temporary passes, if one waits longer each time and not all at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryError } from './error.ts';

export interface Patience {
  /** Attempts without progress, the first one included. */
  tries: number;
  /** Milliseconds before the second attempt; doubled for each further one, and drawn from the upper half. */
  first: number;
  /** Milliseconds: longest pause. A registry that asks for a longer one is not waited for. */
  longest: number;
}

export const patience: Patience = { tries: 6, first: 500, longest: 60_000 };

interface Options extends Patience {
  signal?: AbortSignal | undefined;
  /** Grows with what was achieved: an attempt that got somewhere is not counted. */
  progress?: () => number;
  say?: (note: string) => void;
}

/** So little could be got by a server that is never to be satisfied, a few bytes at each attempt. */
const SOMETHING = 64 * 1024;

/** @throws what the last attempt threw, or the first that is not temporary. */
export async function retrying<T>(attempt: () => Promise<T>, options: Options): Promise<T> {
  const { tries, longest, signal, progress = () => 0, say } = options;
  for (let failed = 0, got = progress(); ; ) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RegistryError && error.temporary)) throw error;
      if (progress() - got >= SOMETHING) failed = 0;
      got = progress();
      failed++;
      const pause =
        error.after ?? Math.min(options.first * 2 ** (failed - 1), longest) * (1 - Math.random() / 2);
      if (failed >= tries || pause > longest) throw error;
      say?.(`${error.message}: again in ${(pause / 1000).toFixed(1)} s`);
      await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** HTTP semantics (RFC 9110, 10.2.3): seconds, or a date. Undefined if there is none that can be read. */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const said = headers.get('retry-after')?.trim();
  if (!said) return undefined;
  const ms = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - now;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
