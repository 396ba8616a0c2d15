/** A namespace for a container to join: the box's first one, which nobody is in any more, but which a file keeps. */
import { namespace } from '../evidence/process.ts';
import type { Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { withOrigin } from '../runtime/plan.ts';
import { cloneFlags } from '../steps/join.ts';

/** Types that config.json and /proc call the same, and that the launcher may leave for itself alone. */
export type KeptType = 'uts' | 'ipc';

export interface Kept {
  type: KeptType;
  /** The file, on the box's side and on ours. */
  path: string;
}

/** A namespace lasts as long as a process is in it, or its file is held or mounted somewhere (namespaces(7)). */
export function keeping({ type, path }: Kept): Step[] {
  const common = { at: 'host', phase: 'prepare' } as const;
  return [
    withOrigin(
      { ...common, kind: 'mount', source: `/proc/self/ns/${type}`, target: path, flags: ['MS_BIND'] },
      'box',
    ),
    withOrigin({ ...common, kind: 'unshare', flags: [cloneFlags[type]] }, 'box'),
  ];
}

/** The config's namespace of that type is the one that is kept. */
export function joining(spec: Spec, { type, path }: Kept): void {
  const others = spec.linux?.namespaces?.filter((one) => one.type !== type) ?? [];
  spec.linux = { ...spec.linux, namespaces: [...others, { type, path }] };
}

/** Its number, while the launcher is still in it. */
export const numberOf = (launcher: number, { type }: Kept): number => namespace(launcher, type);
