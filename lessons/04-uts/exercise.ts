/** Lesson 4: a name of one's own. */
import { type Draft, type Facts, joinNamespace, namespace, PlanError, type Spec } from 'tslab';

export default function uts(spec: Spec, _facts: Facts): Draft[] {
  refuse(spec);
  return [...birth(spec), ...hostname(spec.hostname), ...domainname(spec.domainname)];
}

/** What can't be had without harm to the host is an error that names the field of the config. */
function refuse(spec: Spec): void {
  for (const field of ['hostname', 'domainname'] as const) {
    // TODO 1: A config may ask for a name. When would setting it change the name of the host?
    const harmful = (_name: string | undefined): boolean => false;
    if (harmful(spec[field])) throw new PlanError(`${field}: it would be the host's own`);
  }
}

function birth(spec: Spec): Draft[] {
  const wanted = namespace(spec, 'uts');
  if (!wanted) return [];
  // The config names a namespace that is there already: join it. Nothing to do here.
  if (wanted.path !== undefined) return joinNamespace('uts', wanted.path);
  // TODO 2: Be born into a new UTS namespace.
  return [{ at: 'host', phase: 'clone', kind: 'clone', flags: [], field: 'linux.namespaces' }];
}

function hostname(name: string | undefined): Draft[] {
  if (name === undefined) return [];
  // TODO 3: One step that sets it, in the phase `names`. By whose hand?
  return [];
}

/** The NIS domain name, which the same namespace keeps. */
function domainname(name: string | undefined): Draft[] {
  if (name === undefined) return [];
  // TODO 4: One step that sets it.
  return [];
}
