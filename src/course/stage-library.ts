/** What a stage may import from tslab by value: pure helpers of the lessons' own stages, at hand where it is evaluated. */
export * from '../oci/annotations.ts';
export { namespace } from '../oci/spec.ts';
export { PlanError } from '../plan/error.ts';
export { capabilitySets } from '../steps/capabilities.ts';
export { isCgroupMount } from '../steps/cgroup/mount.ts';
export { deviceSteps } from '../steps/devices.ts';
export { deniesSetgroups, idMapSteps, isMapped } from '../steps/idmap.ts';
export { joinNamespace, newNamespace } from '../steps/join.ts';
export { labels } from '../steps/labels.ts';
export { maskSteps } from '../steps/masks.ts';
export { mountSteps } from '../steps/mounts.ts';
export { rootPropagation, treePropagation } from '../steps/propagation.ts';
export { rlimits } from '../steps/rlimits.ts';
export { mayBeShutOut, treeByHost, treeOfLayers } from '../steps/root-tree.ts';
export { scheduling } from '../steps/scheduling.ts';
export { filterProgram, seccompSteps } from '../steps/seccomp/steps.ts';
export { sysctls } from '../steps/sysctl.ts';
export { hasTree } from '../steps/tree.ts';
