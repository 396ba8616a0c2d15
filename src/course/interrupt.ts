/** Ctrl-C and its relatives, as an AbortSignal: what was begun is put away before we go. */
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interrupted extends Error {
  /** As a shell says it: 128 + the signal's number. */
  readonly exitCode: number;
  constructor(name: (typeof signals)[number]) {
    super('interrupted');
    this.exitCode = 128 + constants.signals[name];
  }
}

/** While `work` runs, these signals abort what it is given; their reason is an Interrupted. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (name: (typeof signals)[number]) => controller.abort(new Interrupted(name));
  for (const name of signals) process.on(name, abort);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of signals) process.off(name, abort);
  }
}

/** Rejects as soon as it is aborted; until then, what the promise does. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}
