/** `linux.resources` for this host: each controller's share goes to the writer of the version that has the controller here. */
import type { CgroupFacts, Facts } from '../../facts/facts.ts';
import { NO_CGROUP_ANNOTATION } from '../../oci/annotations.ts';
import type { Resources, Spec } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import { deviceFilter } from './device-filter.ts';
import { deviceRules } from './devices.ts';
import type { CgroupDirectories } from './place.ts';
import { v1 } from './v1.ts';
import { v2 } from './v2.ts';
import { type Controller, controllers, refuse, type Write } from './write.ts';

/** A write, and which controller's, in the words of its version (`blkio` or `io`). */
export interface Limit extends Write {
  readonly controller: string;
  readonly version: 1 | 2;
}

export const v2Name = (controller: string): string => (controller === 'blkio' ? 'io' : controller);

/** On a hybrid host a controller is in one of the trees, never in both (cgroups(7), "Cgroups v1 and v2"). */
export function versionOf(controller: string, facts: CgroupFacts): 1 | 2 | undefined {
  if (facts.controllers[controller] !== undefined) return 1;
  if (facts.unified === undefined) return undefined;
  if (controller === 'devices') return 2;
  return facts.unifiedControllers?.includes(v2Name(controller)) ? 2 : undefined;
}

/**
 * All limits in an order that a fresh cgroup takes.
 *
 * @throws PlanError naming the field, for what this host has no controller for.
 */
export function limits(resources: Resources, facts: Pick<Facts, 'kernel' | 'cgroup'>): Limit[] {
  return [
    ...controllers.flatMap((controller) => limitsOf(controller, resources, facts)),
    ...unified(resources.unified ?? {}, facts.cgroup),
  ];
}

/**
 * Device rules that no cgroup holds and nobody misses. Engines write them always. Whoever makes no nodes has in a container
 * the host's own, under the host's permissions; and whoever wants no cgroup at all gives them up.
 */
export const unheldDeviceRules = ({ annotations }: Spec, { capabilities, cgroup }: Facts): boolean =>
  annotations?.[NO_CGROUP_ANNOTATION] === 'true' || (!cgroup.writable && !capabilities.includes('CAP_MKNOD'));

function limitsOf(
  controller: Controller,
  resources: Resources,
  facts: Pick<Facts, 'kernel' | 'cgroup'>,
): Limit[] {
  const version = versionOf(controller, facts.cgroup);
  const v1Only = controller === 'net_cls' || controller === 'net_prio';
  const writer = version === 1 || (version === undefined && !v1Only) ? v1 : v2;
  const writes = writer[controller](resources, facts);
  if (version === undefined && writes[0])
    throw new PlanError(`${writes[0].field}: ${lacking(v2Name(controller), facts.cgroup)}`);
  return writes.map((write) => ({
    ...write,
    controller: version === 2 ? v2Name(controller) : controller,
    version: version ?? 2,
  }));
}

/** v2's own words, passed through (config-linux.md, "Unified"). */
function unified(wanted: Readonly<Record<string, string>>, facts: CgroupFacts): Limit[] {
  return Object.entries(wanted).map(([file, data]) => {
    const field = `unified[${JSON.stringify(file)}]`;
    const controller = file.split('.')[0] ?? '';
    if (!/^[\w.-]+$/.test(file) || !file.includes('.')) refuse(field, 'this is no name of a cgroup’s file');
    // The others move, kill or let in processes, or hand out controllers: not a container's limits.
    if (controller === 'cgroup' && !/^cgroup\.(max\.|pressure$)/.test(file))
      refuse(field, 'it takes limits, not files that manage the cgroup itself');
    if (facts.unified === undefined)
      refuse(field, 'these are files of cgroup v2; this host has v1: use the fields beside unified');
    if (controller !== 'cgroup' && !facts.unifiedControllers?.includes(controller))
      refuse(field, lacking(controller, facts));
    return { file, data, field: `linux.resources.${field}`, controller, version: 2 };
  });
}

function lacking(controller: string, facts: CgroupFacts): string {
  const there = [...Object.keys(facts.controllers), ...(facts.unifiedControllers ?? [])];
  const known = there.filter((name) => !name.startsWith('name='));
  return `this host has no ${controller} controller (there are: ${known.join(', ') || 'none'})`;
}

/** The file's path on the host. */
export function pathOf(limit: Limit, directories: CgroupDirectories): string {
  const directory = limit.version === 2 ? directories.unified : directories.controllers[limit.controller];
  return `${directory}/${limit.file}`;
}

/** v1 by a file of root's; v2 by a program, which takes CAP_SYS_ADMIN and a kernel with bpf(2) (cgroup-v2.rst, "Device controller"). */
export function canDecideDevices({ uid, cgroup, capabilities }: Facts): boolean {
  if (uid !== 0 || !cgroup.writable) return false;
  const version = versionOf('devices', cgroup);
  return version === 1 || (version === 2 && cgroup.bpf === true && capabilities.includes('CAP_SYS_ADMIN'));
}

/** v2's answer to `devices`: the program in base64, or undefined when v1 has it or nothing is asked. */
export function deviceProgram(
  resources: Resources,
  facts: CgroupFacts,
): { program: string; field: string } | undefined {
  const rules = deviceRules(resources.devices ?? []);
  if (rules.length === 0 || versionOf('devices', facts) !== 2) return undefined;
  return { program: deviceFilter(rules).toString('base64'), field: 'linux.resources.devices' };
}
