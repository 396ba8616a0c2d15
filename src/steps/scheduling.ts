/** How the process runs: as what, on which CPUs and nodes, and whose turn it is (config.md, "Linux Process"; config-linux.md). */
import type { Process, Scheduler, Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import {
  type Flag,
  flagSets,
  ioClasses,
  memoryModes,
  type Name,
  type NameSet,
  policies,
} from '../plan/flags.ts';
import { listToMask } from './lists.ts';
import type { Draft } from './stage.ts';

/** While the process may still raise itself: CAP_SYS_NICE goes with the other capabilities. */
const common = { at: 'child', phase: 'limits' } as const;

export function scheduling(spec: Spec): Draft[] {
  const { process, linux } = spec;
  return [
    ...(linux?.personality ? [personality(linux.personality)] : []),
    ...(linux?.memoryPolicy?.mode ? [memoryPolicy(linux.memoryPolicy)] : []),
    ...(process?.ioPriority ? [ioPriority(process.ioPriority)] : []),
    ...(process?.scheduler ? [scheduler(process.scheduler)] : []),
  ];
}

function personality({ domain, flags = [] }: NonNullable<NonNullable<Spec['linux']>['personality']>): Draft {
  const field = 'linux.personality';
  const personas: Record<string, number> = { LINUX: 0, LINUX32: 8 }; // personality(2): PER_LINUX32
  const persona = Object.hasOwn(personas, domain) ? personas[domain] : undefined;
  if (persona === undefined) throw wrong(`${field}.domain`, domain, Object.keys(personas));
  if (flags.length > 0)
    throw new PlanError(`${field}.flags: the specification has no values for it yet, so it takes none`);
  return { ...common, kind: 'personality', persona, field };
}

type MemoryPolicy = NonNullable<NonNullable<Spec['linux']>['memoryPolicy']>;

function memoryPolicy({ mode, nodes = '', flags = [] }: MemoryPolicy): Draft {
  const field = 'linux.memoryPolicy';
  return {
    ...common,
    kind: 'mempolicy',
    mode: oneOf('memoryModes', memoryModes, mode, `${field}.mode`),
    flags: flagsOf('memory', flags, `${field}.flags`),
    nodes: listToMask(nodes, 8, `${field}.nodes`),
    field,
  };
}

function ioPriority({ class: name, priority = 0 }: NonNullable<Process['ioPriority']>): Draft {
  const field = 'process.ioPriority';
  if (!Number.isInteger(priority) || priority < 0 || priority > 7)
    throw new PlanError(`${field}.priority is ${priority}; it takes 0, the first, to 7`);
  return {
    ...common,
    kind: 'ioprio',
    class: oneOf('ioClasses', ioClasses, name, `${field}.class`),
    level: priority,
    field,
  };
}

function scheduler(wanted: Scheduler): Draft {
  const field = 'process.scheduler';
  const { nice = 0, priority = 0, flags = [], runtime = 0, deadline = 0, period = 0 } = wanted;
  if (!Number.isInteger(nice) || nice < -20 || nice > 19)
    throw new PlanError(`${field}.nice is ${nice}; it takes -20 to 19 (sched(7))`);
  if (!Number.isInteger(priority) || priority < 0)
    throw new PlanError(`${field}.priority is ${priority}; it takes an integer from 0 (sched(7))`);
  const policy = oneOf('policies', policies, wanted.policy, `${field}.policy`);
  return {
    ...common,
    kind: 'schedattr',
    policy,
    flags: flagsOf('sched', flags, `${field}.flags`),
    nice,
    priority,
    runtime,
    deadline,
    period,
    field,
  };
}

/**
 * The CPUs of a further process in a running container; the container's first one has none of it (config.md,
 * "execCPUAffinity"). `initial` holds until it is in the container's cgroup, `final` from then on.
 */
export function execAffinity({ execCPUAffinity = {} }: Process): Draft[] {
  const { initial, final } = execCPUAffinity;
  const step = (phase: 'clone' | 'join', list: string | undefined, name: string): Draft[] => {
    const field = `process.execCPUAffinity.${name}`;
    return list ? [{ at: 'child', phase, kind: 'affinity', cpus: listToMask(list, 1, field), field }] : [];
  };
  return [...step('clone', initial, 'initial'), ...step('join', final, 'final')];
}

function flagsOf<S extends 'memory' | 'sched'>(set: S, names: readonly string[], field: string): Flag<S>[] {
  return names.map((name) => {
    if (!Object.hasOwn(flagSets[set], name)) throw wrong(field, name, Object.keys(flagSets[set]));
    return name as Flag<S>;
  });
}

function oneOf<S extends NameSet>(_set: S, table: object, name: string, field: string): Name<S> {
  if (!Object.hasOwn(table, name)) throw wrong(field, name, Object.keys(table));
  return name as Name<S>;
}

const wrong = (field: string, value: string, takes: readonly string[]) =>
  new PlanError(`${field} is ${JSON.stringify(value)}; it takes one of ${takes.join(', ')}`);
