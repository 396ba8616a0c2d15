/** A container whose config names no cgroup gets one of its own where this user may make one (config-linux.md, "Cgroups Path"). */
import { join } from 'node:path';
import type { Facts } from '../facts/facts.ts';
import { NO_CGROUP_ANNOTATION } from '../oci/annotations.ts';
import type { Spec } from '../oci/spec.ts';
import type { Stage } from '../steps/stage.ts';

/**
 * One directory without a shared one above it: then nobody has to know who is the last to leave.
 *
 * @param stages the chosen ones: a runtime that has not come to cgroups yet makes none.
 */
export function withOwnCgroup(id: string, spec: Spec, facts: Facts, stages?: readonly Stage[]): Spec {
  if (spec.annotations?.[NO_CGROUP_ANNOTATION] === 'true') return withoutCgroup(spec);
  const none = stages !== undefined && !stages.some((stage) => stage.id === 'cgroup');
  if (none || spec.linux?.cgroupsPath || !facts.cgroup.writable) return spec;
  return { ...spec, linux: { ...spec.linux, cgroupsPath: join(facts.cgroup.base ?? '/', `tslab-${id}`) } };
}

/** What it was to limit is refused by name, as on a host without cgroups. */
function withoutCgroup(spec: Spec): Spec {
  const { cgroupsPath: _, ...linux } = spec.linux ?? {};
  return { ...spec, linux };
}
