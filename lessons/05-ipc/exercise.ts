/** Lesson 5: System V IPC objects and POSIX message queues of one's own. */
import { type Draft, type Facts, mountSteps, namespace, type Spec } from 'tslab';

export default function ipc(spec: Spec, facts: Facts): Draft[] {
  const wanted = namespace(spec, 'ipc');
  if (!wanted) return [];
  return [...(wanted.path === undefined ? birth() : join(wanted.path)), ...ownQueues(spec, facts)];
}

function birth(): Draft[] {
  // TODO 1: Be born into a new IPC namespace.
  return [{ at: 'host', phase: 'clone', kind: 'clone', flags: [], field: 'linux.namespaces' }];
}

/** The config names a namespace that is there already, by a file such as /proc/4711/ns/ipc. */
function join(path: string): Draft[] {
  return [
    // The file is the host's: the host hand opens it, before there is a child, and keeps it under the name `theirs`.
    { at: 'host', phase: 'prepare', kind: 'open', path, flags: ['O_RDONLY'], as: 'theirs' },
    // TODO 2: Who goes in, and by which call? The phase is `join`.
  ];
}

/** With an IPC namespace asked for, lesson 2 leaves some mounts to this lesson. */
function ownQueues(spec: Spec, facts: Facts): Draft[] {
  if (!namespace(spec, 'mount')) return [];
  // TODO 3: Which type of file system shows what is in an IPC namespace? (Not the one of /dev/shm.)
  const isOurs = (_type: string | undefined): boolean => false;
  return (spec.mounts ?? []).flatMap((mount, i) => (isOurs(mount.type) ? mountSteps(spec, i, facts) : []));
}
