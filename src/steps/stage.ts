/** What a lesson contributes to the runtime: a pure function from config and facts to steps. */
import type { Facts } from '../facts/facts.ts';
import type { Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';

/** A step as a stage writes it: compose adds the lesson's name. `field` is a path into config.json. */
export type Draft = Step extends infer S
  ? S extends Step
    ? Omit<S, 'from'> & { readonly field?: string }
    : never
  : never;

/** Never calls the kernel; may be called in another process, by another user. */
export type StageFunction = (spec: Spec, facts: Facts) => readonly Draft[];

export interface Stage {
  /** The lesson's id, such as `pid`. */
  readonly id: string;
  /** The config fields that this stage alone answers for, such as `hostname` or `linux.namespaces[uts]`. */
  readonly owns: readonly string[];
  readonly plan: StageFunction;
}
