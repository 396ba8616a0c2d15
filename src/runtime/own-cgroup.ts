/** A container whose config names no cgroup gets one of its own where this user may make one (config-linux.md, "Cgroups Path"). */
import { join } from 'node:path';
import type { Facts } from '../facts/facts.ts';
import type { Spec } from '../oci/spec.ts';
import type { Stage } from '../steps/stage.ts';

/**
 * One directory without a shared one above it: then nobody has to know who is the last to leave.
 *
 * @param stages the chosen ones: a runtime that has not come to cgroups yet makes none.
 */
export function withOwnCgroup(id: string, spec: Spec, facts: Facts, stages?: readonly Stage[]): Spec {
  const none = stages !== undefined && !stages.some((stage) => stage.id === 'cgroup');
  if (none || spec.linux?.cgroupsPath || !facts.cgroup.writable) return spec;
  return { ...spec, linux: { ...spec.linux, cgroupsPath: join(facts.cgroup.base ?? '/', `tslab-${id}`) } };
}
