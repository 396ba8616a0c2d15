/** What a stage may import from tslab by value: pure helpers of the lessons' own stages, at hand where it is evaluated. */
export * from '../oci/annotations.ts';
export { namespace } from '../oci/spec.ts';
export { PlanError } from '../plan/error.ts';
export { isCgroupMount } from '../steps/cgroup/mount.ts';
export { deviceSteps } from '../steps/devices.ts';
export { joinNamespace, newNamespace } from '../steps/join.ts';
export { mountSteps } from '../steps/mounts.ts';
export { addAddress, addDefaultRoute } from '../steps/net/addresses.ts';
export { netlink, type Plug, plugOf, sharedBridge, sharedRules } from '../steps/net/attach.ts';
export { netDevices } from '../steps/net/devices.ts';
export { initLayerFiles, networkFiles } from '../steps/net/files.ts';
export { LO, linkInto, linkUp, newVeth } from '../steps/net/links.ts';
export { ADDRESS_ANNOTATION, NETWORK_ANNOTATION, PUBLISH_ANNOTATION } from '../steps/net/spec.ts';
export { rootPropagation, treePropagation } from '../steps/propagation.ts';
export { rlimits } from '../steps/rlimits.ts';
export { mayBeShutOut, treeByHost } from '../steps/root-tree.ts';
export { scheduling } from '../steps/scheduling.ts';
export { hasTree } from '../steps/tree.ts';
