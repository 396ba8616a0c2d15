/** `linux.sysctl`: kernel parameters that a namespace has for itself. All others are the host's, and refused. */
import { type NamespaceType, namespace, type Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import type { Draft } from './stage.ts';

/** By the namespace that keeps them (namespaces(7) and its pages; ipc_namespaces(7), "/proc interfaces"). */
const owners: readonly (readonly [RegExp, NamespaceType])[] = [
  [/^net\/./, 'network'],
  [/^kernel\/(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|(msg|sem|shm)_next_id)$/, 'ipc'],
  [/^fs\/mqueue\/./, 'ipc'],
  [/^kernel\/(hostname|domainname)$/, 'uts'],
  [/^user\/./, 'user'],
];

/**
 * The host's /proc/sys shows each process the parameters of its own namespaces, and nobody inside has a hand in it; it is
 * opened before any tree but the host's is there, and written when the namespaces are.
 *
 * @throws PlanError naming the parameter.
 */
export function sysctls(spec: Spec): Draft[] {
  const entries = Object.entries(spec.linux?.sysctl ?? {});
  if (entries.length === 0) return [];
  return [
    {
      at: 'child',
      phase: 'identity',
      kind: 'open',
      path: '/proc/sys',
      flags: ['O_PATH', 'O_DIRECTORY'],
      as: 'sysctl',
      field: 'linux.sysctl',
    },
    ...entries.map(([name, data]): Draft => {
      const field = `linux.sysctl[${name}]`;
      const path = pathOf(name, field);
      check(spec, path, field);
      return { at: 'child', phase: 'names', kind: 'write', dir: 'sysctl', path, data, field };
    }),
  ];
}

/** sysctl(8): the separator is whichever of `.` and `/` comes first; the other is then part of a name, such as a link's `eth0.1`. */
function pathOf(name: string, field: string): string {
  const dotted = /[./]/.exec(name)?.[0] === '.';
  const path = dotted ? name.replace(/[./]/g, (one) => (one === '.' ? '/' : '.')) : name;
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new PlanError(`${field}: it takes a name such as net.ipv4.ip_forward`);
  return path;
}

function check(spec: Spec, path: string, field: string): void {
  const owner = owners.find(([pattern]) => pattern.test(path))?.[1];
  if (!owner)
    throw new PlanError(`${field}: no namespace has this parameter for itself; it would change the host's`);
  if (!namespace(spec, owner))
    throw new PlanError(
      `${field}: without a namespace of type ${owner} in linux.namespaces it would change the host's`,
    );
  const twice =
    path === 'kernel/hostname' ? spec.hostname : path === 'kernel/domainname' ? spec.domainname : undefined;
  if (twice !== undefined)
    throw new PlanError(
      `${field}: the config has ${path.slice('kernel/'.length)} for the same; set one of the two`,
    );
}
