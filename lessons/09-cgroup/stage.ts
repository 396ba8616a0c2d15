/** Lesson 9: what the container may use, and who counts it. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { PlanError } from '../../src/plan/error.ts';
import { enterSteps } from '../../src/steps/cgroup/enter.ts';
import { limitSteps, makeTree, ownerSteps } from '../../src/steps/cgroup/make.ts';
import { cgroupMounts } from '../../src/steps/cgroup/mount.ts';
import { directoriesIn, treesOf } from '../../src/steps/cgroup/place.ts';
import { type Limit, limits, unheldDeviceRules } from '../../src/steps/cgroup/resources.ts';
import { scopeSteps } from '../../src/steps/cgroup/scope.ts';
import { joinNamespace } from '../../src/steps/join.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[cgroup]', 'linux.cgroupsPath', 'linux.resources'];

export default function cgroup(spec: Spec, facts: Facts): Draft[] {
  return [...ownCgroup(spec, facts), ...cgroupNamespace(spec), ...cgroupMounts(spec, facts)];
}

function ownCgroup(spec: Spec, facts: Facts): Draft[] {
  const { cgroupsPath: path, resources = {} } = spec.linux ?? {};
  const wanted = limits(resources, facts);
  if (!path || !facts.cgroup.writable) return withoutCgroup(spec, facts, wanted);
  if (facts.systemd) return scopeSteps(spec, path, facts.systemd, facts, wanted);
  const trees = treesOf(path, facts.cgroup);
  const directories = directoriesIn(trees);
  return [
    ...trees.flatMap((tree) => makeTree(tree, facts.cgroup, wanted)),
    ...limitSteps(wanted, resources, directories, facts.cgroup),
    ...ownerSteps(spec, directories, facts),
    ...enterSteps(directories),
  ];
}

/** Fine as long as nobody asked for a limit. */
function withoutCgroup(spec: Spec, facts: Facts, wanted: readonly Limit[]): Draft[] {
  const { linux } = spec;
  const unheld = unheldDeviceRules(spec, facts);
  const asked =
    wanted.find(({ controller }) => !unheld || controller !== 'devices')?.field ??
    (!unheld && linux?.resources?.devices?.length ? 'linux.resources.devices' : undefined) ??
    (linux?.cgroupsPath ? 'linux.cgroupsPath' : undefined);
  if (asked === undefined) return [];
  throw new PlanError(
    facts.cgroup.writable
      ? `${asked}: limits belong to a cgroup; name one in linux.cgroupsPath`
      : `${asked}: user ${facts.uid} may not make cgroups here; use sudo, or have a v2 subtree delegated to you`,
  );
}

/** Made only now: the root of a cgroup namespace is the cgroup that its maker is in (cgroup_namespaces(7)). */
function cgroupNamespace(spec: Spec): Draft[] {
  const wanted = namespace(spec, 'cgroup');
  if (!wanted) return [];
  if (wanted.path !== undefined) return joinNamespace('cgroup', wanted.path);
  // #region namespace
  return [
    { at: 'child', phase: 'cgroup', kind: 'unshare', flags: ['CLONE_NEWCGROUP'], field: 'linux.namespaces' },
  ];
  // #endregion
}
