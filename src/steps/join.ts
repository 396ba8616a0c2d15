/** A namespace of one's own, or one that exists already. */
import { type NamespaceType, namespace, type Spec } from '../oci/spec.ts';
import type { Flag } from '../plan/flags.ts';
import type { Draft } from './stage.ts';

export const cloneFlags: Readonly<Record<NamespaceType, Flag<'clone'>>> = {
  user: 'CLONE_NEWUSER',
  mount: 'CLONE_NEWNS',
  pid: 'CLONE_NEWPID',
  uts: 'CLONE_NEWUTS',
  ipc: 'CLONE_NEWIPC',
  network: 'CLONE_NEWNET',
  cgroup: 'CLONE_NEWCGROUP',
  time: 'CLONE_NEWTIME',
};

/** What config.json's `linux.namespaces` asks for that type: nothing, a new one, or the one at a path. */
export function newNamespace(spec: Spec, type: NamespaceType): Draft[] {
  const wanted = namespace(spec, type);
  if (!wanted) return [];
  if (wanted.path !== undefined) return joinNamespace(type, wanted.path);
  return [
    { at: 'host', phase: 'clone', kind: 'clone', flags: [cloneFlags[type]], field: 'linux.namespaces' },
  ];
}

/**
 * A PID namespace only takes effect for children (setns(2)), so the host hand joins it before it clones; a user namespace
 * too, since it must own the new ones that the child is born into. All others the child joins itself, a time namespace
 * too (time_namespaces(7)).
 */
export function joinNamespace(type: NamespaceType, path: string): Draft[] {
  const forChildren = type === 'pid' || type === 'user';
  const field = 'linux.namespaces';
  return [
    { at: 'host', phase: 'prepare', kind: 'open', path, flags: ['O_RDONLY'], as: `ns-${type}`, field },
    // Nobody in there may look into a process that is still the launcher (ptrace(2)); the child inherits this.
    ...(type === 'user'
      ? [{ at: 'host', phase: 'prepare', kind: 'prctl', option: 'PR_SET_DUMPABLE', value: 0, field } as const]
      : []),
    {
      at: forChildren ? 'host' : 'child',
      phase: forChildren ? 'prepare' : 'join',
      kind: 'setns',
      fd: `ns-${type}`,
      flags: [cloneFlags[type]],
      field,
    },
  ];
}
