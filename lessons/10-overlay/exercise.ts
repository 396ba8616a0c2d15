/** Lesson 10: a root of layers that many share, with a thin one on top for what this container changes. */
import { type Draft, type Facts, type Layers, layersOf, type Spec } from 'tslab';

export default function overlay(spec: Spec, _facts: Facts): Draft[] {
  // What the config's annotations say, as absolute paths: `lower`, a list; `upper` and `work`, both or neither.
  const layers = layersOf(spec);
  return layers ? merged(spec.root?.path ?? '/', options(layers)) : [];
}

/** Puts the layers together on `place`, the folder that the config calls its root. By itself, that folder is empty. */
function merged(place: string, _options: string): Draft[] {
  return [
    // TODO 3: Lesson 2 cuts the ties to the host's tree, but in a later phase. What about a mount that is made now?

    // TODO 4: One mount step, by the child, in the phase `layers`: what was `mount -t overlay -o …` by hand.
    //         Its `target` is the place, its `data` is what stood behind `-o`.

    // Lesson 2 goes on with this: `root` is the tree that is mounted on the place now.
    { at: 'child', phase: 'layers', kind: 'open_tree', path: place, as: 'root' },
  ];
}

/** What stands behind `-o`. */
function options({ lower, upper }: Layers): string {
  // TODO 1: The config names the lowest layer first. Which one does the kernel want first?
  const order = lower;
  // TODO 2: Where changes go: two more options, if the config has these folders.
  const changes = upper === undefined ? [] : [];
  // Marks are attributes that anybody may set: the box in which your stage is tried has no root that counts outside.
  return [`lowerdir=${order.join(':')}`, ...changes, 'userxattr'].join(',');
}
