/** Composition: what all stages ask for becomes ONE ordered list. */
import { PlanError } from './error.ts';
import { phases } from './phases.ts';
import type { Plan, Step } from './step.ts';

/**
 * Orders steps by phase; within a phase as given (the curriculum's), but for mounts (see entry).
 * Every stage that wants a namespace gives a `clone` step; they become one clone3(2), because a process
 * is born once, and because the new user namespace must own the other new ones (user_namespaces(7)).
 *
 * @throws PlanError if nothing is cloned or executed.
 */
export function compose(id: string, steps: readonly Step[]): Plan {
  const clones = steps.filter((step) => step.kind === 'clone');
  const first = clones[0];
  if (!first)
    throw new PlanError('plan: no stage clones a process, so there is nobody to become the container');
  if (!steps.some((step) => step.kind === 'exec'))
    throw new PlanError('plan: no stage executes a program: the exec step is missing');

  const clone = mergeClones(first, clones);
  const ordered = steps
    .filter((step) => step === first || step.kind !== 'clone')
    .map((step) => ({ step: step === first ? clone : step, rank: rank(step), entry: entry(step) }))
    .sort((a, b) => a.rank - b.rank || a.entry - b.entry)
    .map(({ step }) => step);
  return deepFreeze({ version: 1, id, steps: ordered });
}

/** Nothing comes back from exec, so it is last also within its phase. */
function rank(step: Step): number {
  return step.kind === 'exec' ? phases.length : phases.indexOf(step.phase);
}

/**
 * Mounts are made in the order of the config's list (config.md, "Mounts"), whichever stage asks for one. Steps of the phase
 * that are no entry's come first: they make the tree.
 */
function entry({ phase, from }: Step): number {
  const [, index = '-1'] = (phase === 'mounts' && /^mounts\[(\d+)\]/.exec(from.field ?? '')) || [];
  return Number(index);
}

type Clone = Step<'clone'>;

function mergeClones(first: Clone, clones: readonly Clone[]): Clone {
  const cgroup = clones.find((step) => step.cgroup !== undefined)?.cgroup;
  // The lessons behind the flags stay readable: "process+mount+pid".
  const asking = clones.filter(
    (step) => step === first || step.flags.length > 0 || step.cgroup !== undefined,
  );
  return {
    ...first,
    flags: [...new Set(clones.flatMap((step) => step.flags))],
    ...(cgroup === undefined ? {} : { cgroup }),
    from: {
      lesson: [...new Set(asking.map((step) => step.from.lesson))].join('+'),
      field: 'linux.namespaces',
    },
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
