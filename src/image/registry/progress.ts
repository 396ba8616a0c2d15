/** What a transfer tells of itself while it goes on; who shows it is the caller's business. */
export interface Moved {
  digest: string;
  /** Bytes of the whole blob. */
  size: number;
  /** Bytes that are there, those of earlier tries included. */
  done: number;
  state: 'present' | 'moving' | 'mounted' | 'done';
}

export interface Listener {
  moved?(blob: Moved): void;
  /** A sentence about something out of the ordinary, such as another try. */
  note?(text: string): void;
}

/** @throws what the first that fails throws; the others are told by the signal, and have ended before that. */
export async function atOnce<T>(
  most: number,
  items: readonly T[],
  outer: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal;
  const queue = [...items];
  let first: { error: unknown } | undefined;
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        signal.throwIfAborted();
        await work(item, signal);
      } catch (error) {
        first ??= { error };
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: most }, worker));
  if (first) throw first.error;
}
