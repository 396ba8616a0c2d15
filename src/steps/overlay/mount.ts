/**
 * The two ways in which a kernel can be told of layers. Both end with the mount as the descriptor `root`, attached nowhere:
 * the stage of lesson 2 puts it where a bind mount of the rootfs would be.
 */
import { dirname, relative } from 'node:path';
import { LOWER_ANNOTATION, UPPER_ANNOTATION, WORK_ANNOTATION } from '../../oci/annotations.ts';
import type { Spec } from '../../oci/spec.ts';
import { treePropagation } from '../propagation.ts';
import type { Draft } from '../stage.ts';
import type { Layers } from './spec.ts';

const fieldOf = (name: string) => `annotations[${name}]`;
const lowerField = { field: fieldOf(LOWER_ANNOTATION) };

/**
 * What this overlay does not do, whatever the kernel was built to do by default (overlayfs.rst):
 * - `metacopy`: a file in upper could name, by an attribute, the file below that has its content. A layer is somebody else's
 *   work, and would choose.
 * - `redirect_dir`: the same for directories. A directory that is renamed is copied instead (rename(2), EXDEV).
 * - `index`: an upper that remembers by file handles to what it belongs can't be moved, nor be shared as a lower one.
 * `volatile` is left out: after a crash the kernel refuses such an upper, and fsync(2) would be a lie.
 */
const settings = [
  ['metacopy', 'off'],
  ['redirect_dir', 'nofollow'],
  ['index', 'off'],
] as const;

/** Folders that can be mapped at once: of a plan's 64 descriptors, some are for everything else. */
export const MOST_MAPPED = 40;

export interface Making {
  /** An ordinary user's attributes: trusted ones are for the first user namespace's root (xattr(7)). */
  readonly userxattr: boolean;
  /** The descriptor of a user namespace by whose maps all folders are seen. */
  readonly mapped?: string;
}

type Common =
  | { readonly at: 'host'; readonly phase: 'prepare' }
  | { readonly at: 'child'; readonly phase: 'layers' };

/** Since Linux 6.13 each folder is handed over by descriptor: its name may be as long and as odd as it likes. */
export function byDescriptor({ lower, upper, work }: Layers, common: Common, making: Making): Draft[] {
  const set = { ...common, kind: 'fsconfig', fd: 'overlay' } as const;
  const top = lower.toReversed(); // the first one named is the uppermost
  return [
    { ...common, kind: 'fsopen', fstype: 'overlay', as: 'overlay', ...lowerField },
    ...top.flatMap((path, i): Draft[] => {
      // A mount that hangs nowhere is gone with its descriptor: each needs its own until all are taken over.
      const as = making.mapped === undefined ? 'layer' : `layer-${i}`;
      return [
        ...folder(path, as, common, making),
        { ...set, command: 'FSCONFIG_SET_FD', key: 'lowerdir+', handed: as, ...lowerField },
      ];
    }),
    ...(upper === undefined || work === undefined ? [] : above(upper, work, common, making)),
    ...settings.map(
      ([key, value]): Draft => ({ ...set, command: 'FSCONFIG_SET_STRING', key, value, ...lowerField }),
    ),
    ...(making.userxattr
      ? [{ ...set, command: 'FSCONFIG_SET_FLAG', key: 'userxattr', ...lowerField } as const]
      : []),
    // mount(8) shows a source; nobody opens it.
    { ...set, command: 'FSCONFIG_SET_STRING', key: 'source', value: 'overlay', ...lowerField },
    { ...set, command: 'FSCONFIG_CMD_CREATE', ...lowerField },
    { ...common, kind: 'fsmount', fd: 'overlay', as: 'root', field: 'root.path' },
    // Whoever keeps it open keeps the file system busy.
    { ...common, kind: 'close', fd: 'overlay', field: 'root.path' },
  ];
}

function folder(path: string, as: string, common: Common, { mapped }: Making): Draft[] {
  if (mapped === undefined)
    return [{ ...common, kind: 'open', path, flags: ['O_PATH', 'O_DIRECTORY'], as, ...lowerField }];
  return mappedTree(path, as, common, mapped, lowerField);
}

/** A copy of the folder's mount whose files belong to the container's ids, although nothing on disk has changed. */
function mappedTree(
  path: string,
  as: string,
  common: Common,
  userns: string,
  field: { field: string },
): Draft[] {
  const set = ['MOUNT_ATTR_IDMAP'] as const;
  return [
    { ...common, kind: 'open_tree', path, as, ...field },
    { ...common, kind: 'mount_setattr', dir: as, path: '', set, userns, ...field },
  ];
}

/** Both have to be seen through one mount: changes are moved from the one into the other (rename(2), EXDEV). */
function above(upper: string, work: string, common: Common, { mapped }: Making): Draft[] {
  const parent = commonFolder(upper, work);
  const at = (path: string) =>
    mapped === undefined ? { path } : { dir: 'above', path: relative(parent, path) };
  return [
    [UPPER_ANNOTATION, upper, 'upperdir'] as const,
    [WORK_ANNOTATION, work, 'workdir'] as const,
  ].flatMap(([name, path, key], i): Draft[] => [
    ...(mapped === undefined || i > 0
      ? []
      : mappedTree(parent, 'above', common, mapped, { field: fieldOf(name) })),
    { ...common, kind: 'open', ...at(path), flags: ['O_PATH', 'O_DIRECTORY'], as: key, field: fieldOf(name) },
    {
      ...common,
      kind: 'fsconfig',
      fd: 'overlay',
      command: 'FSCONFIG_SET_FD',
      key,
      handed: key,
      field: fieldOf(name),
    },
  ]);
}

function commonFolder(a: string, b: string): string {
  let parent = dirname(a);
  while (parent !== '/' && !b.startsWith(`${parent}/`)) parent = dirname(parent);
  return parent;
}

/**
 * Before that, mount(2) takes one page of options with commas and colons between the names. So each folder gets a
 * short name first: symlinks in a file system in memory, on root.path, of which the host never hears.
 */
export function byShortNames(spec: Spec, { lower, upper, work }: Layers, { userxattr }: Making): Draft[] {
  const place = spec.root?.path ?? '/';
  const common = { at: 'child', phase: 'layers' } as const;
  const names = lower.map((target, i) => ({ path: String(i), target, ...lowerField }));
  const own = [
    ...(upper === undefined ? [] : [{ path: 'u', target: upper, field: fieldOf(UPPER_ANNOTATION) }]),
    ...(work === undefined ? [] : [{ path: 'w', target: work, field: fieldOf(WORK_ANNOTATION) }]),
  ];
  const order = names.map(({ path }) => path).toReversed();
  const data = [
    `lowerdir=${order.join(':')}`,
    ...(upper === undefined ? [] : ['upperdir=u,workdir=w']),
    ...settings.map(([key, value]) => `${key}=${value}`),
    ...(userxattr ? ['userxattr'] : []),
  ].join(',');
  const scratch = { source: 'tmpfs', fstype: 'tmpfs', data: 'mode=755,size=1m' } as const;
  const own_ = { ...common, ...lowerField };
  return [
    // Said once more by lesson 2: but here already something is mounted.
    { ...own_, kind: 'mount', target: '/', flags: ['MS_REC', treePropagation(spec)] },
    { ...own_, kind: 'mount', target: place, ...scratch },
    { ...own_, kind: 'chdir', path: place },
    { ...own_, kind: 'open', path: place, flags: ['O_PATH', 'O_DIRECTORY'], as: 'names' },
    { ...own_, kind: 'mkdir', dir: 'names', path: 'merged', mode: 0o755 },
    ...[...names, ...own].flatMap((link): Draft[] => [
      // Only looked at: mount(2) would not tell which one is missing.
      { ...common, kind: 'open', path: link.target, flags: ['O_PATH', 'O_DIRECTORY'], field: link.field },
      { ...common, kind: 'symlink', dir: 'names', ...link },
    ]),
    { ...own_, kind: 'mount', source: 'overlay', target: 'merged', fstype: 'overlay', data },
    { ...own_, kind: 'open_tree', path: 'merged', as: 'root' },
    { ...own_, kind: 'chdir', path: '/' },
    { ...own_, kind: 'close', fd: 'names' },
    { ...own_, kind: 'umount', target: place, flags: ['MNT_DETACH'] },
  ];
}
