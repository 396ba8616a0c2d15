/** --monotonic and --boottime, by unshare(1)'s names: how far its clocks are from the host's. */
import type { Spec } from '../oci/spec.ts';
import type { SpecFlags } from './spec-flags.ts';

/** @throws Error naming the flag and what it takes. */
export function setClocks(spec: Spec, flags: SpecFlags): void {
  const asked = (['monotonic', 'boottime'] as const).filter((clock) => flags[clock] !== undefined);
  if (asked.length === 0) return;
  spec.linux = {
    ...spec.linux,
    namespaces: [...(spec.linux?.namespaces ?? []), { type: 'time' }],
    timeOffsets: Object.fromEntries(
      asked.map((clock) => [clock, { secs: seconds(clock, flags[clock] ?? '') }]),
    ),
  };
}

function seconds(clock: string, text: string): number {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw new Error(`--${clock} ${text}: it takes seconds, such as 864000 or =-60`);
}
