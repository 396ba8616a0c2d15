/** What a process may do, as /proc says it: its capabilities, and what else stands between it and the kernel. */
import { readFileSync } from 'node:fs';
import { capabilities } from '../plan/flags.ts';
import type { Who } from './process.ts';

/** The five sets, by capabilities(7)'s names. */
export type SetName = 'bounding' | 'permitted' | 'effective' | 'inheritable' | 'ambient';

/** As /proc/<pid>/status calls them. */
export const setFields: Readonly<Record<SetName, string>> = {
  bounding: 'CapBnd',
  permitted: 'CapPrm',
  effective: 'CapEff',
  inheritable: 'CapInh',
  ambient: 'CapAmb',
};

export interface Privileges {
  /** Names such as CAP_CHOWN, in the kernel's order; one that we don't know is a number. */
  sets: Readonly<Record<SetName, readonly string[]>>;
  noNewPrivileges: boolean;
  /** 0 none, 1 strict, 2 filter (proc_pid_status(5)). */
  seccomp: number;
  /** How many filters judge each call; undefined before Linux 5.9. */
  filters: number | undefined;
}

/** proc_pid_status(5). @throws ENOENT or ESRCH once the process is gone. */
export function privileges(who: Who): Privileges {
  const text = readFileSync(`/proc/${who}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(text)?.[1];
  const sets = Object.entries(setFields).map(([set, name]) => [set, capabilityNames(field(name) ?? '0')]);
  const filters = field('Seccomp_filters');
  return {
    sets: Object.fromEntries(sets) as Privileges['sets'],
    noNewPrivileges: field('NoNewPrivs') === '1',
    seccomp: Number(field('Seccomp') ?? 0),
    filters: filters === undefined ? undefined : Number(filters),
  };
}

/** A hexadecimal mask, one bit a capability. */
function capabilityNames(mask: string): string[] {
  const bits = [...BigInt(`0x${mask}`).toString(2)].reverse();
  return bits.flatMap((bit, i) => (bit === '1' ? [capabilities[i] ?? String(i)] : []));
}
