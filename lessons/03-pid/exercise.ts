/** Lesson 3: the first process of a world of its own, PID 1. */
import { type Draft, type Facts, joinNamespace, mountSteps, namespace, type Spec } from 'tslab';

/** Asks for a small init as PID 1. OCI has no field for it, so it is an annotation. */
const INIT_ANNOTATION = 'org.tslab.init';

export default function pid(spec: Spec, facts: Facts): Draft[] {
  const wanted = namespace(spec, 'pid');
  if (!wanted) return [];
  return [...birth(wanted.path), ...freshProc(spec, facts), ...init(spec)];
}

function birth(path: string | undefined): Draft[] {
  // The config names a namespace that is there already: join it. Nothing to do here.
  if (path !== undefined) return joinNamespace('pid', path);
  // TODO 1: Be born as PID 1 of a new PID namespace. As in lesson 2, the clone step takes a flag.
  return [{ at: 'host', phase: 'clone', kind: 'clone', flags: [], field: 'linux.namespaces' }];
}

/** With a PID namespace asked for, lesson 2 leaves mounts of type proc to this lesson. */
function freshProc(spec: Spec, facts: Facts): Draft[] {
  // TODO 2: Say which mounts are yours: those of type proc, if the container has a mount namespace to mount them in.
  const isOurs = (_type: string | undefined): boolean => false;
  return (spec.mounts ?? []).flatMap((mount, i) => (isOurs(mount.type) ? mountSteps(spec, i, facts) : []));
}

/** A PID 1 that reaps and passes signals on, above the program. Only for those who ask. */
function init(spec: Spec): Draft[] {
  if (spec.annotations?.[INIT_ANNOTATION] !== 'true') return [];
  // TODO 3: One step of kind `init`, done by the child in the phase `init`, just before the program.
  return [];
}
