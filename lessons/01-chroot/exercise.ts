/** Lesson 1: a directory becomes `/`. */
import { type Draft, type Facts, namespace, type Spec } from 'tslab';

export default function chroot(spec: Spec, _facts: Facts): Draft[] {
  // With a mount namespace, lesson 2 does better: pivot_root(2) leaves no way back.
  if (!spec.root || namespace(spec, 'mount')) return [];
  const common = { at: 'child', phase: 'root', field: 'root.path' } as const;
  return [
    // Kept by descriptor: later steps with `dir: 'root'` resolve their paths inside it.
    { ...common, kind: 'open', path: spec.root.path, flags: ['O_PATH', 'O_DIRECTORY'], as: 'root' },
    // TODO 1: Make the directory that the config names the root of this process.
    // TODO 2: Go in: the first step moved the root, but not the working directory.
  ];
}
