/** Lesson 8: how long it has been running, by clocks of its own. */
import { type Draft, type Facts, joinNamespace, namespace, type Spec } from 'tslab';

/** The clocks that a time namespace shifts. */
const clocks = ['monotonic', 'boottime'] as const;

export default function time(spec: Spec, _facts: Facts): Draft[] {
  const wanted = namespace(spec, 'time');
  if (!wanted) return [];
  // The config names a namespace that is there already, with its offsets. Nothing to do here.
  if (wanted.path !== undefined) return joinNamespace('time', wanted.path);
  return ownClocks(offsetLines(spec));
}

/** All of it is done by the child, at once after its birth: in phase `clone`. */
function ownClocks(offsets: string): Draft[] {
  const common = { at: 'child', phase: 'clone' } as const;
  const field = 'linux.namespaces';
  return [
    // TODO 1: Make a time namespace for the processes to come: a step of kind `unshare`, with one flag in `flags`.

    // TODO 2: Set its clocks, while nobody is in it: a step of kind `write`, with `path` and `data`. (No offsets, no step.)
    ...(offsets === '' ? [] : []),

    // And enter it. Nothing to do here: this opens the namespace that the next process would be born into, and joins it.
    {
      ...common,
      kind: 'open',
      path: '/proc/self/ns/time_for_children',
      flags: ['O_RDONLY'],
      as: 'ns-time',
      field,
    },
    { ...common, kind: 'setns', fd: 'ns-time', flags: ['CLONE_NEWTIME'], field },
  ];
}

/** What is to be written: a line for each clock that the config has an offset for. */
function offsetLines(spec: Spec): string {
  const offsets = spec.linux?.timeOffsets ?? {};
  return clocks
    .filter((clock) => offsets[clock] !== undefined)
    .map((clock) => {
      const { secs = 0, nanosecs = 0 } = offsets[clock] ?? {};
      // TODO 3: The line for this clock. Its form is in "Why".
      void [clock, secs, nanosecs];
      return '';
    })
    .join('');
}
