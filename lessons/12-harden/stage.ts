/** Lesson 12: isolation is incomplete, so root inside gets less than root. */
import type { Facts } from '../../src/facts/facts.ts';
import { type CapabilitySet, namespace, type Spec } from '../../src/oci/spec.ts';
import type { Capability } from '../../src/plan/flags.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = [
  'process.capabilities',
  'process.noNewPrivileges',
  'linux.maskedPaths',
  'linux.readonlyPaths',
];

export default function harden(spec: Spec, _facts: Facts): Draft[] {
  return [...masks(spec), ...capabilities(spec), ...noNewPrivileges(spec)];
}

/** A masked file shows /dev/null, a masked directory an empty one. Which it is, only the container's /proc knows. */
function masks(spec: Spec): Draft[] {
  if (!namespace(spec, 'mount')) return [];
  const common = { at: 'child', phase: 'mounts', kind: 'mount', dir: 'root' } as const;
  const masked = (spec.linux?.maskedPaths ?? []).flatMap((target, i): Draft[] => {
    const field = `linux.maskedPaths[${i}]`;
    return [
      { ...common, source: '/dev/null', target, flags: ['MS_BIND'], tolerate: ['ENOENT', 'ENOTDIR'], field },
      {
        ...common,
        source: 'tmpfs',
        target,
        fstype: 'tmpfs',
        flags: ['MS_RDONLY'],
        tolerate: ['ENOENT', 'ENOTDIR'],
        field,
      },
    ];
  });
  const readonly = (spec.linux?.readonlyPaths ?? []).flatMap((target, i): Draft[] => {
    const field = `linux.readonlyPaths[${i}]`;
    return [
      {
        ...common,
        kind: 'open',
        path: target,
        flags: ['O_PATH'],
        as: 'readonly',
        tolerate: ['ENOENT'],
        field,
      },
      { ...common, sourceFd: 'readonly', target, flags: ['MS_BIND', 'MS_REC'], tolerate: ['ENOENT'], field },
      {
        ...common,
        target,
        flags: ['MS_REMOUNT', 'MS_BIND', 'MS_RDONLY', 'MS_NOSUID', 'MS_NODEV', 'MS_NOEXEC'],
        tolerate: ['ENOENT'],
        field,
      },
    ];
  });
  return [...masked, ...readonly];
}

function capabilities(spec: Spec): Draft[] {
  const sets = spec.process?.capabilities;
  if (!sets) return [];
  const field = 'process.capabilities';
  const set = (name: CapabilitySet) => (sets[name] ?? []) as Capability[];
  const privileges = { at: 'child', phase: 'privileges', field } as const;
  return [
    { at: 'child', phase: 'limits', kind: 'capbset', keep: set('bounding'), field },
    // Without this, becoming an ordinary user would empty the permitted set before we choose (capabilities(7)).
    { at: 'child', phase: 'limits', kind: 'prctl', option: 'PR_SET_KEEPCAPS', value: 1, field },
    {
      ...privileges,
      kind: 'capset',
      effective: set('effective'),
      permitted: set('permitted'),
      inheritable: set('inheritable'),
    },
    { ...privileges, kind: 'capambient', raise: set('ambient') },
  ];
}

function noNewPrivileges(spec: Spec): Draft[] {
  if (!spec.process?.noNewPrivileges) return [];
  return [
    {
      at: 'child',
      phase: 'privileges',
      kind: 'prctl',
      option: 'PR_SET_NO_NEW_PRIVS',
      value: 1,
      field: 'process.noNewPrivileges',
    },
  ];
}
