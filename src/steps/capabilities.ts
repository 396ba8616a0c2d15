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

/** Those that the config asks for and this host can't give: config.md wants them warned of, and no more. */
export function ungranted(spec: Spec, facts: Facts): string[] {
  const can = grantable(spec, facts);
  const asked = new Set(sets.flatMap((set) => asCapabilities(spec, set)));
  return [...asked].filter((name) => !can.includes(name));
}

/** The sets as they will be. A config that says nothing of capabilities gets none, as with other runtimes. */
export function capabilitySets(spec: Spec, facts: Facts): CapabilitySets {
  const can = grantable(spec, facts);
  const wanted = Object.fromEntries(
    sets.map((set) => [set, asCapabilities(spec, set).filter((name) => can.includes(name))]),
  ) as CapabilitySets;
  demand(wanted, 'effective', 'permitted');
  demand(wanted, 'inheritable', 'bounding');
  demand(wanted, 'ambient', 'permitted');
  demand(wanted, 'ambient', 'inheritable');
  return wanted;
}

function asCapabilities(spec: Spec, set: CapabilitySet): Capability[] {
  return (spec.process?.capabilities?.[set] ?? []).map((name, i) => {
    if (!(capabilities as readonly string[]).includes(name))
      throw new PlanError(
        `process.capabilities.${set}[${i}]: ${JSON.stringify(name)} is no capability; capabilities(7) lists them`,
      );
    return name as Capability;
  });
}

/** The kernel's own rules, told with names instead of EPERM (capabilities(7), capset(2)). */
function demand(wanted: CapabilitySets, set: CapabilitySet, of: CapabilitySet): void {
  const missing = wanted[set].find((name) => !wanted[of].includes(name));
  if (missing !== undefined)
    throw new PlanError(`process.capabilities.${set}: ${missing} has to be in ${of}, too (capabilities(7))`);
}
