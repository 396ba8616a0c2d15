/** Lesson 1: a directory becomes `/`. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['root.path'];

export default function chroot(spec: Spec, _facts: Facts): Draft[] {
  // With a mount namespace, lesson 2 does better: pivot_root(2) leaves no way back.
  if (!spec.root || namespace(spec, 'mount')) return [];
  const common = { at: 'child', phase: 'root', field: 'root.path' } as const;
  return [
    // Kept by descriptor: later steps with `dir: 'root'` resolve their paths inside it.
    { ...common, kind: 'open', path: spec.root.path, flags: ['O_PATH', 'O_DIRECTORY'], as: 'root' },
    // #region chroot
    { ...common, kind: 'chroot', path: spec.root.path },
    // chroot(2) moves the root but not the working directory, which would still be outside.
    { ...common, kind: 'chdir', path: '/' },
    // #endregion
  ];
}
