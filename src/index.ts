/** tslab as a library: run containers, read plans, write stages. */
export { lessons, stages, stagesUpTo } from '../lessons/index.ts';
export * from './course/stage-library.ts';
export type { Facts } from './facts/facts.ts';
export { probe } from './facts/probe.ts';
export { StartError } from './launch/start-error.ts';
export { defaultSpec } from './oci/default.ts';
export type { Mount, Spec } from './oci/spec.ts';
export { explainCall } from './plan/explain.ts';
export type { Plan, Step } from './plan/step.ts';
export { directoriesOf, freeze, isFrozen, killAll, ooms, pids, thaw } from './runtime/cgroup.ts';
export { type Stats, stats } from './runtime/cgroup-stats.ts';
export { update } from './runtime/cgroup-update.ts';
export type { Exit } from './runtime/exit.ts';
export { planFor } from './runtime/plan.ts';
export { type Container, perform, run, type StartOptions, start } from './runtime/run.ts';
export type { CapabilitySets } from './steps/capabilities.ts';
export type { Draft, Stage, StageFunction } from './steps/stage.ts';
