/** The five capability sets of config.json (config.md, "Linux Process"; capabilities(7)). */
import type { Facts } from '../facts/facts.ts';
import { type CapabilitySet, namespace, type Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import { type Capability, capabilities } from '../plan/flags.ts';

const sets = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const;
/** The names that each set is to have. */
export type CapabilitySets = Record<CapabilitySet, Capability[]>;

/**
 * What this process can be given: in a user namespace of its own all that the kernel knows, since its first process
 * has them there (user_namespaces(7)); else what the asker has, as nobody gives what they don't have.
 */
export function grantable(spec: Spec, facts: Facts): readonly Capability[] {
  const known = capabilities.slice(0, (facts.lastCapability ?? capabilities.length) + 1);
  return namespace(spec, 'user') ? known : known.filter((name) => facts.capabilities.includes(name));
}

/** Those that the config asks for and this host can't give, or the kernel doesn't know: config.md wants them warned of, and no more. */
export function ungranted(spec: Spec, facts: Facts): string[] {
  const can = grantable(spec, facts);
  const asked = new Set(sets.flatMap((set) => spec.process?.capabilities?.[set] ?? []));
  return [...asked].filter((name) => !(can as readonly string[]).includes(name));
}

/** Asked for as ambient and neither permitted nor inheritable: the kernel raises no such one (PR_CAP_AMBIENT(2const)). */
export function notAmbient(spec: Spec): Capability[] {
  const [permitted, inheritable] = [asCapabilities(spec, 'permitted'), asCapabilities(spec, 'inheritable')];
  return asCapabilities(spec, 'ambient').filter(
    (name) => !permitted.includes(name) || !inheritable.includes(name),
  );
}

/** The sets as they will be. A config that says nothing of capabilities gets none, as with other runtimes. */
export function capabilitySets(spec: Spec, facts: Facts): CapabilitySets {
  const can = grantable(spec, facts);
  const wanted = Object.fromEntries(
    sets.map((set) => [set, asCapabilities(spec, set).filter((name) => can.includes(name))]),
  ) as CapabilitySets;
  demand(wanted, 'effective', 'permitted');
  demand(wanted, 'inheritable', 'bounding');
  const never = notAmbient(spec);
  return { ...wanted, ambient: wanted.ambient.filter((name) => !never.includes(name)) };
}

function asCapabilities(spec: Spec, set: CapabilitySet): Capability[] {
  const known = (name: string): name is Capability => (capabilities as readonly string[]).includes(name);
  return (spec.process?.capabilities?.[set] ?? []).filter(known);
}

/** The kernel's own rules, told with names instead of EPERM (capabilities(7), capset(2)). */
function demand(wanted: CapabilitySets, set: CapabilitySet, of: CapabilitySet): void {
  const missing = wanted[set].find((name) => !wanted[of].includes(name));
  if (missing !== undefined)
    throw new PlanError(`process.capabilities.${set}: ${missing} has to be in ${of}, too (capabilities(7))`);
}
