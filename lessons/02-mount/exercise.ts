/** Lesson 2: a mount tree of one's own, and a root without a way back. */
import { type Draft, deviceSteps, type Facts, mountSteps, namespace, type Spec } from 'tslab';

export default function mount(spec: Spec, facts: Facts): Draft[] {
  if (!namespace(spec, 'mount')) return [];
  return [...ownTree(spec), ...mounts(spec, facts), ...ownRoot(spec)];
}

/** A copy of the host's mounts that no longer talks to the original, and the root folder as a mount in it. */
function ownTree(spec: Spec): Draft[] {
  const root = spec.root?.path ?? '/';
  return [
    // TODO 1: Be born into a mount namespace. The clone step is lesson 0's; this one adds a flag to it.
    { at: 'host', phase: 'clone', kind: 'clone', flags: [], field: 'linux.namespaces' },
    // TODO 2: Cut the ties: a mount step that makes `/`, and all below it, private.
    // TODO 3: Make the root folder (its path is in `root`) a mount point: bind it onto itself.

    // From here on, `dir: 'root'` means the root folder: a path next to it can't leave it.
    { at: 'child', phase: 'mounts', kind: 'open', path: root, flags: ['O_PATH', 'O_DIRECTORY'], as: 'root' },
  ];
}

/** What the config wants mounted: /proc, /dev, /sys, volumes. Nothing to do here. */
function mounts(spec: Spec, facts: Facts): Draft[] {
  const ours = (spec.mounts ?? []).flatMap(({ type }, i) =>
    // A proc file system shows the PID namespace of whoever mounts it: with a new one, that is lesson 3's business.
    type === 'proc' && namespace(spec, 'pid') ? [] : mountSteps(spec, i, facts),
  );
  return [...ours, ...deviceSteps(spec, facts)];
}

function ownRoot(spec: Spec): Draft[] {
  return [
    // TODO 4: Go to the root folder, make it the root of the namespace, and take the old root off.
    //         Every step of this is `at: 'child', phase: 'root'`.

    // TODO 5: This is for `root.readonly`: remount `/` so that it can't be written to.
    ...(spec.root?.readonly ? [] : []),
  ];
}
