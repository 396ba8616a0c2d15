/** Lesson 12: isolation is incomplete, so root inside gets less than root. */
import type { Facts } from '../../src/facts/facts.ts';
import { INIT_ANNOTATION, KEYRING_ANNOTATION } from '../../src/oci/annotations.ts';
import type { Spec } from '../../src/oci/spec.ts';
import { type CapabilitySets, capabilitySets } from '../../src/steps/capabilities.ts';
import { labels } from '../../src/steps/labels.ts';
import { maskSteps } from '../../src/steps/masks.ts';
import { seccompSteps } from '../../src/steps/seccomp/steps.ts';
import type { Draft } from '../../src/steps/stage.ts';
import { sysctls } from '../../src/steps/sysctl.ts';

export const owns = [
  'process.capabilities',
  'process.noNewPrivileges',
  'linux.maskedPaths',
  'linux.readonlyPaths',
  'process.apparmorProfile',
  'process.selinuxLabel',
  'linux.seccomp',
  // One field for the parameters of four namespaces: here all of them are known.
  'linux.sysctl',
  `annotations[${KEYRING_ANNOTATION}]`,
];

export default function harden(spec: Spec, facts: Facts): Draft[] {
  if (!spec.process) return [...maskSteps(spec), ...sysctls(spec)];
  const sets = capabilitySets(spec, facts);
  const filter = seccompSteps(spec, facts, spec.annotations?.[INIT_ANNOTATION] === 'true');
  // #region order
  return [
    ...maskSteps(spec),
    ...sysctls(spec),
    ...keyring(spec),
    ...labels(spec.process, facts),
    ...bound(sets),
    ...filter.early,
    ...drop(sets),
    ...noNewPrivileges(spec),
    ...filter.late,
  ];
  // #endregion
}

/** Keys are found through the session keyring: a new one, made while root's quota pays for it, keeps the caller's outside. */
function keyring(spec: Spec): Draft[] {
  if (spec.annotations?.[KEYRING_ANNOTATION] === 'inherit') return [];
  // ENOSYS: a kernel without keys. EPERM: a filter that we stand under ourselves; what we may not call, the program may not.
  return [{ at: 'child', phase: 'limits', kind: 'keyring', tolerate: ['ENOSYS', 'EPERM'] }];
}

/** What has to be done while the process may still do everything. */
function bound({ bounding }: CapabilitySets): Draft[] {
  // #region bound
  const common = { at: 'child', phase: 'limits', field: 'process.capabilities' } as const;
  return [
    { ...common, kind: 'capbset', keep: bounding },
    // Without this, becoming an ordinary user would empty the permitted set before we choose (capabilities(7)).
    { ...common, kind: 'prctl', option: 'PR_SET_KEEPCAPS', value: 1 },
  ];
  // #endregion
}

/** The last word on what is left. */
function drop({ effective, permitted, inheritable, ambient }: CapabilitySets): Draft[] {
  // #region drop
  const common = { at: 'child', phase: 'privileges', field: 'process.capabilities' } as const;
  return [
    { ...common, kind: 'capset', effective, permitted, inheritable },
    { ...common, kind: 'capambient', raise: ambient },
  ];
  // #endregion
}

function noNewPrivileges(spec: Spec): Draft[] {
  if (!spec.process?.noNewPrivileges) return [];
  const field = 'process.noNewPrivileges';
  // #region nnp
  return [
    { at: 'child', phase: 'privileges', kind: 'prctl', option: 'PR_SET_NO_NEW_PRIVS', value: 1, field },
  ];
  // #endregion
}
