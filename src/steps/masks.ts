/** `linux.maskedPaths` and `linux.readonlyPaths` (config-linux.md): what is hidden, and what may only be looked at. */
import type { Spec } from '../oci/spec.ts';
import type { Draft } from './stage.ts';
import { hasTree } from './tree.ts';

/** A path that isn't there needs no mask. */
const absent = ['ENOENT', 'ENOTDIR'] as const;

export function maskSteps(spec: Spec): Draft[] {
  if (!hasTree(spec, ['linux.maskedPaths', 'linux.readonlyPaths'])) return [];
  return [...masked(spec.linux?.maskedPaths ?? []), ...readOnly(spec.linux?.readonlyPaths ?? [])];
}

/** The null device is the host's, held by descriptor and looked at: one in the rootfs might be any file by now. */
function masked(paths: readonly string[]): Draft[] {
  if (paths.length === 0) return [];
  const common = { at: 'child', phase: 'masks', field: 'linux.maskedPaths' } as const;
  const null_ = { sort: 0o020000, major: 1, minor: 3 };
  return [
    { ...common, kind: 'open', path: '/dev/null', flags: ['O_PATH', 'O_NOFOLLOW'], as: 'null' },
    { ...common, kind: 'verify', dir: 'null', path: '', ...null_ },
    ...paths.map(
      (path, i): Draft => ({
        ...common,
        kind: 'mask',
        dir: 'root',
        path,
        fd: 'null',
        tolerate: absent,
        field: `linux.maskedPaths[${i}]`,
      }),
    ),
  ];
}

/** Bound onto itself, read-only, with all that is mounted below it. The path is resolved once; EBADF: it wasn't there. */
function readOnly(paths: readonly string[]): Draft[] {
  return paths.flatMap((path, i): Draft[] => {
    const common = { at: 'child', phase: 'masks', field: `linux.readonlyPaths[${i}]` } as const;
    const tolerate = ['EBADF'] as const;
    return [
      { ...common, kind: 'open', dir: 'root', path, flags: ['O_PATH'], as: 'place', tolerate: absent },
      { ...common, kind: 'open_tree', dir: 'place', path: '', recursive: true, as: 'tree', tolerate },
      {
        ...common,
        kind: 'mount_setattr',
        dir: 'tree',
        path: '',
        recursive: true,
        set: ['MOUNT_ATTR_RDONLY'],
        tolerate,
      },
      { ...common, kind: 'move_mount', fd: 'tree', dir: 'place', target: '', tolerate },
    ];
  });
}
