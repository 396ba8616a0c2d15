/** --cap-add, --cap-drop, --security-opt and --privileged of `tslab run`, as docker means them, in terms of the config. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { ownCapabilities } from '../facts/probe.ts';
import { keptCapabilities } from '../oci/default-capabilities.ts';
import { defaultSeccomp } from '../oci/default-seccomp.ts';
import { seccompFrom } from '../oci/seccomp-profile.ts';
import type { Spec } from '../oci/spec.ts';
import { capabilities } from '../plan/flags.ts';
import type { SpecFlags } from './spec-flags.ts';

/** @throws Error naming the flag and what it takes. */
export function secure(spec: Spec, flags: SpecFlags): void {
  const { capAdd = [], capDrop = [], securityOpt = [] } = flags;
  if (flags.privileged) privileged(spec);
  else if (capAdd.length > 0 || capDrop.length > 0) setCapabilities(spec, capAdd, capDrop);
  for (const option of securityOpt) applyOption(spec, option);
}

/** All that the asker has, and nothing in the way: for work on the kernel itself, and for seeing what an escape takes. */
function privileged(spec: Spec): void {
  if (!spec.process || !spec.linux) return;
  // An ordinary user's container has a user namespace, and there is nothing to be missed in it.
  const all = spec.linux.namespaces?.some(({ type }) => type === 'user')
    ? [...capabilities]
    : ownCapabilities();
  spec.process.capabilities = { bounding: all, effective: all, permitted: all };
  spec.process.noNewPrivileges = false;
  delete spec.linux.seccomp;
  delete spec.linux.maskedPaths;
  delete spec.linux.readonlyPaths;
  for (const mount of spec.mounts ?? [])
    if (mount.type === 'sysfs' || mount.type === 'cgroup')
      mount.options = mount.options?.filter((word) => word !== 'ro') ?? [];
}

function setCapabilities(spec: Spec, add: readonly string[], drop: readonly string[]): void {
  const named = (flag: string, names: readonly string[]) =>
    names.filter((name) => name.toUpperCase() !== 'ALL').map((name) => capabilityName(flag, name));
  const all = (names: readonly string[]) => names.some((name) => name.toUpperCase() === 'ALL');
  const [added, dropped] = [named('--cap-add', add), named('--cap-drop', drop)];
  const start = all(add) ? capabilities : all(drop) ? [] : keptCapabilities;
  const kept = [...new Set([...start, ...added])].filter((name) => !dropped.includes(name));
  if (!spec.process || !spec.linux) return;
  // Only root gets its bounding set by an exec; to another user, what was asked for goes by the ambient set (capabilities(7)).
  const ambient =
    (spec.process.user?.uid ?? 0) === 0 ? [] : kept.filter((name) => all(add) || added.includes(name));
  spec.process.capabilities = {
    bounding: kept,
    effective: kept,
    permitted: kept,
    inheritable: ambient,
    ambient,
  };
  if (spec.linux.seccomp) spec.linux.seccomp = defaultSeccomp(kept);
}

/** NET_ADMIN, net_admin, CAP_NET_ADMIN. */
function capabilityName(flag: string, name: string): string {
  const full = `CAP_${name.toUpperCase().replace(/^CAP_/, '')}`;
  if ((capabilities as readonly string[]).includes(full)) return full;
  throw new Error(`${flag} ${name}: it takes ALL or a name of capabilities(7), such as NET_ADMIN`);
}

function applyOption(spec: Spec, option: string): void {
  const [name, value] = /^([^=:]+)[=:](.*)$/.exec(option)?.slice(1) ?? [option, ''];
  if (!spec.process || !spec.linux) return;
  if (name === 'no-new-privileges' && ['', 'true', 'false'].includes(value ?? ''))
    spec.process.noNewPrivileges = value !== 'false';
  else if (name === 'seccomp' && value === 'unconfined') delete spec.linux.seccomp;
  else if (name === 'seccomp' && value) spec.linux.seccomp = fromFile(value, spec);
  else if (name === 'apparmor' && value) spec.process.apparmorProfile = value;
  else
    throw new Error(
      `--security-opt ${option}: it takes no-new-privileges[=false], seccomp=unconfined, seccomp=FILE or apparmor=PROFILE`,
    );
}

function fromFile(file: string, spec: Spec) {
  try {
    const granted = spec.process?.capabilities?.bounding ?? [];
    return seccompFrom(readFileSync(file, 'utf8'), {
      capabilities: granted,
      kernel: release(),
      arch: process.arch,
    });
  } catch (error) {
    throw new Error(`--security-opt seccomp=${file}: ${(error as Error).message}`);
  }
}
