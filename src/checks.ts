/** What an instructor's own checks are made of: `import … from 'tslab/checks'`. */
export * from './course/check.ts';
export * from './course/probes.ts';
export * from './evidence/cgroup.ts';
export * from './evidence/mountinfo.ts';
export {
  children,
  namespace as namespaceOf,
  processes,
  residents,
  startTimeOf,
  status,
  statusOf,
} from './evidence/process.ts';
