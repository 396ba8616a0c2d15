/** Lesson 8: how long it has been running, by clocks of its own. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { PlanError } from '../../src/plan/error.ts';
import { joinNamespace } from '../../src/steps/join.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[time]', 'linux.timeOffsets'];

/** The clocks that a time namespace shifts; the wall clock is everybody's (time_namespaces(7)). */
const clocks = ['monotonic', 'boottime'] as const;

export default function time(spec: Spec, _facts: Facts): Draft[] {
  const wanted = namespace(spec, 'time');
  const offsets = offsetLines(spec);
  if (offsets !== '' && (!wanted || wanted.path !== undefined))
    throw new PlanError(
      `linux.timeOffsets: only a new time namespace takes offsets; linux.namespaces ${wanted ? 'joins one' : 'has none'}`,
    );
  if (!wanted) return [];
  return wanted.path === undefined ? ownClocks(offsets) : joinNamespace('time', wanted.path);
}

/**
 * CLONE_NEWTIME in clone3(2) would be too early: once a process is in it, a namespace's offsets stand (time_namespaces(7)).
 * So the child makes one for its children, sets it, and only then enters (newer kernels would enter at the exec). At once after its birth: in a new user
 * namespace it has the right to do so, and when it changes its ids its files in /proc are no longer its own (proc(5)).
 */
function ownClocks(offsets: string): Draft[] {
  const common = { at: 'child', phase: 'clone' } as const;
  const field = 'linux.namespaces';
  return [
    // #region clocks
    { ...common, kind: 'unshare', flags: ['CLONE_NEWTIME'], field },
    ...(offsets === ''
      ? []
      : [
          {
            ...common,
            kind: 'write',
            path: '/proc/self/timens_offsets',
            data: offsets,
            field: 'linux.timeOffsets',
          } as const,
        ]),
    {
      ...common,
      kind: 'open',
      path: '/proc/self/ns/time_for_children',
      flags: ['O_RDONLY'],
      as: 'ns-time',
      field,
    },
    { ...common, kind: 'setns', fd: 'ns-time', flags: ['CLONE_NEWTIME'], field },
    // #endregion
  ];
}

/** `clock seconds nanoseconds`, a line each; the nanoseconds always count upwards, also from negative seconds. */
function offsetLines(spec: Spec): string {
  const offsets = spec.linux?.timeOffsets ?? {};
  return clocks
    .flatMap((clock) => {
      const { secs = 0, nanosecs = 0 } = offsets[clock] ?? {};
      const field = `linux.timeOffsets.${clock}`;
      if (!Number.isSafeInteger(secs)) throw new PlanError(`${field}.secs is ${secs}; it takes an integer`);
      if (!Number.isInteger(nanosecs) || nanosecs < 0 || nanosecs > 999_999_999)
        throw new PlanError(`${field}.nanosecs is ${nanosecs}; it takes 0 to 999999999`);
      return offsets[clock] === undefined ? [] : [`${clock} ${secs} ${nanosecs}\n`];
    })
    .join('');
}
