/** Where a mount is put. The launcher resolves the path inside the rootfs; nothing here believes a string. */
import { posix } from 'node:path';
import type { Mount, Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import { type MountOptions, parseMountOptions } from './mount-options.ts';
import type { Draft } from './stage.ts';

/** One entry of config.json's `mounts`, read. */
export interface Entry {
  readonly mount: Mount;
  readonly index: number;
  readonly options: MountOptions;
  /** As the container names it. */
  readonly target: string;
  /** What the steps that put it into the container have in common. By the field, compose puts them in the config's order. */
  readonly common: { readonly at: 'child'; readonly phase: 'mounts'; readonly field: string };
}

/** @throws PlanError if there is no such entry. */
export function readEntry(spec: Spec, index: number): Entry {
  const mount = spec.mounts?.[index];
  if (!mount) throw new PlanError(`mounts[${index}]: the config has no such entry`);
  const options = parseMountOptions(mount.options ?? []);
  if (mount.type === 'bind') options.bind ??= 'bind';
  return {
    mount,
    index,
    options,
    // Relative destinations are deprecated, and mean `/` (config.md, "Mounts"). A slash at the end would follow a symlink.
    target: posix.resolve('/', mount.destination),
    common: { at: 'child', phase: 'mounts', field: `mounts[${index}]` },
  };
}

/** What programs, and we, believe to be the kernel's word. A rootfs that makes a symlink of one is refused: ENOTDIR. */
const believed = ['/proc', '/sys', '/dev'];

export interface Place {
  readonly steps: Draft[];
  readonly onto: { readonly dir: string; readonly target: string };
}

export function placeOf({ mount, target, common }: Entry): Place {
  const ofKernel = mount.type === 'proc' || mount.type === 'sysfs' || believed.includes(target);
  if (!ofKernel) return { steps: [], onto: { dir: 'root', target } };
  const flags = ['O_PATH', 'O_DIRECTORY', 'O_NOFOLLOW'] as const;
  return {
    steps: [{ ...common, kind: 'open', dir: 'root', path: target, flags, as: 'place' }],
    onto: { dir: 'place', target: '' },
  };
}
