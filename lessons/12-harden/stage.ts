/** Lesson 12: isolation is incomplete, so root inside gets less than root. */
import type { Facts } from '../../src/facts/facts.ts';
import type { CapabilitySet, Spec } from '../../src/oci/spec.ts';
import type { Capability } from '../../src/plan/flags.ts';
import { maskSteps } from '../../src/steps/masks.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = [
  'process.capabilities',
  'process.noNewPrivileges',
  'linux.maskedPaths',
  'linux.readonlyPaths',
];

export default function harden(spec: Spec, _facts: Facts): Draft[] {
  return [...maskSteps(spec), ...capabilities(spec), ...noNewPrivileges(spec)];
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
