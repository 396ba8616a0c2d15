/** Lesson 12: isolation is incomplete, so root inside gets less than root. */
import type { Facts } from '../../src/facts/facts.ts';
import { INIT_ANNOTATION, KEYRING_ANNOTATION } from '../../src/oci/annotations.ts';
import type { Spec } from '../../src/oci/spec.ts';
import { boundCapabilities, capabilitySets, dropCapabilities } from '../../src/steps/capabilities.ts';
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
  const capabilities = capabilitySets(spec, facts);
  const seccomp = seccompSteps(spec, facts, spec.annotations?.[INIT_ANNOTATION] === 'true');
  return [
    ...maskSteps(spec),
    ...sysctls(spec),
    ...keyring(spec),
    ...labels(spec.process, facts),
    ...boundCapabilities(capabilities),
    ...seccomp.early,
    ...dropCapabilities(capabilities),
    ...noNewPrivileges(spec),
    ...seccomp.late,
  ];
}

/** Keys are found through the session keyring: a new one, made while root's quota pays for it, keeps the caller's outside. */
function keyring(spec: Spec): Draft[] {
  if (spec.annotations?.[KEYRING_ANNOTATION] === 'inherit') return [];
  // ENOSYS: a kernel without keys. EPERM: a filter that we stand under ourselves; what we may not call, the program may not.
  return [{ at: 'child', phase: 'limits', kind: 'keyring', tolerate: ['ENOSYS', 'EPERM'] }];
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
