/** `process.rlimits` (config.md, "POSIX process"; setrlimit(2)). */
import type { Process } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import { type Name, rlimits as resources } from '../plan/flags.ts';
import type { Draft } from './stage.ts';

/** RLIM_INFINITY: all 64 bits. JSON.parse makes this number of it. */
const INFINITE = 2 ** 64;

/** @throws PlanError naming the entry. */
export function rlimits({ rlimits = [] }: Process): Draft[] {
  return rlimits.map(({ type, soft, hard }, i): Draft => {
    const field = `process.rlimits[${i}]`;
    if (!Object.hasOwn(resources, type))
      throw new PlanError(
        `${field}.type is ${JSON.stringify(type)}; it takes one of ${Object.keys(resources).join(', ')}`,
      );
    // config.md: an entry with the type of another one must be an error.
    if (rlimits.findIndex((other) => other.type === type) !== i)
      throw new PlanError(`${field}.type: ${type} is there already; a limit is set once`);
    const of = (value: number, name: string) => {
      if (!Number.isInteger(value) || value < 0)
        throw new PlanError(`${field}.${name} is ${value}; it takes an integer from 0`);
      return value >= INFINITE ? ('unlimited' as const) : value;
    };
    if (soft > hard) throw new PlanError(`${field}: soft is ${soft}, above hard, ${hard} (setrlimit(2))`);
    return {
      at: 'child',
      phase: 'limits',
      kind: 'rlimit',
      resource: type as Name<'rlimits'>,
      soft: of(soft, 'soft'),
      hard: of(hard, 'hard'),
      field,
    };
  });
}
