/** How a program ended, out of wait(2)'s status word. */
import { constants } from 'node:os';

export type Exit = { code: number } | { signal: NodeJS.Signals };

export function exitOf(status: number): Exit {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { signal: (name ?? `SIG${signal}`) as NodeJS.Signals };
}

/** The word that exitOf reads. */
export const statusOf = (exit: Exit): number =>
  'code' in exit ? exit.code << 8 : (constants.signals[exit.signal] ?? 0);

/** What a shell would have in $?. */
export function exitCode(exit: Exit): number {
  return 'code' in exit ? exit.code : 128 + (constants.signals[exit.signal] ?? 0);
}
