/** The clocks of a process's time namespace, against the machine's: time_namespaces(7). */
import { readFileSync } from 'node:fs';
import type { Who } from './process.ts';

export interface Offset {
  secs: number;
  nanosecs: number;
}

/** Of the namespace that its children are born into, which for a program at work is its own. Undefined without CONFIG_TIME_NS. */
export function timeOffsets(who: Who): { monotonic: Offset; boottime: Offset } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${who}/timens_offsets`, 'utf8');
  } catch {
    return undefined;
  }
  const of = (clock: string) => {
    const [, secs = 0, nanosecs = 0] = new RegExp(`^${clock}\\s+(-?\\d+)\\s+(\\d+)$`, 'm').exec(text) ?? [];
    return { secs: Number(secs), nanosecs: Number(nanosecs) };
  };
  return { monotonic: of('monotonic'), boottime: of('boottime') };
}
