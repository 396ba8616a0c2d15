/** What a stage may import from tslab by value: pure helpers of the lessons' own stages, at hand where it is evaluated. */
export * from '../oci/annotations.ts';
export { namespace } from '../oci/spec.ts';
export { PlanError } from '../plan/error.ts';
export { enterSteps } from '../steps/cgroup/enter.ts';
export { handOut, limitSteps, makeTree, ownerSteps } from '../steps/cgroup/make.ts';
export { cgroupMounts, isCgroupMount } from '../steps/cgroup/mount.ts';
export { directoriesIn, type Tree, treesOf } from '../steps/cgroup/place.ts';
export { type Limit, limits, pathOf, unheldDeviceRules } from '../steps/cgroup/resources.ts';
export { scopeSteps } from '../steps/cgroup/scope.ts';
export { deviceSteps } from '../steps/devices.ts';
export { deniesSetgroups, idMapSteps, isMapped } from '../steps/idmap.ts';
export { joinNamespace, newNamespace } from '../steps/join.ts';
export { mountSteps } from '../steps/mounts.ts';
export { rootPropagation, treePropagation } from '../steps/propagation.ts';
export { rlimits } from '../steps/rlimits.ts';
export { mayBeShutOut, treeByHost, treeOfLayers } from '../steps/root-tree.ts';
export { scheduling } from '../steps/scheduling.ts';
export { hasTree } from '../steps/tree.ts';
