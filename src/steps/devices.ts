/** What a container has in /dev (config-linux.md, "Devices", "Default Devices"; runtime-linux.md, "Dev symbolic links"). */
import { dirname, posix } from 'node:path';
import type { Facts } from '../facts/facts.ts';
import { type Device, namespace, type Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import type { Draft } from './stage.ts';

const defaults: readonly Device[] = [
  { path: '/dev/null', type: 'c', major: 1, minor: 3 },
  { path: '/dev/zero', type: 'c', major: 1, minor: 5 },
  { path: '/dev/full', type: 'c', major: 1, minor: 7 },
  { path: '/dev/random', type: 'c', major: 1, minor: 8 },
  { path: '/dev/urandom', type: 'c', major: 1, minor: 9 },
  { path: '/dev/tty', type: 'c', major: 5, minor: 0 },
];
/** Of the host, and shown in any container without being asked for. */
export const defaultDevicePaths = defaults.map(({ path }) => path);

const links = [
  { path: 'fd', target: '/proc/self/fd' },
  { path: 'stdin', target: '/proc/self/fd/0' },
  { path: 'stdout', target: '/proc/self/fd/1' },
  { path: 'stderr', target: '/proc/self/fd/2' },
  { path: 'core', target: '/proc/kcore' },
  { path: 'ptmx', target: 'pts/ptmx' },
];

/** inode(7), the file type. */
const sorts: Readonly<Record<string, number>> = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 };

/**
 * Devices and links, all in the phase after the mounts. Of two with one path the later counts; a node that is there already
 * and is the same device is fine, anything else in its place is EEXIST.
 *
 * @throws PlanError for a device that is none, naming the field.
 */
export function deviceSteps(spec: Spec, facts: Facts): Draft[] {
  // Somebody's whole /dev, bound: what is in it is theirs.
  const bound = spec.mounts?.some(
    ({ destination, type, options }) =>
      posix.resolve('/', destination) === '/dev' &&
      (type === 'bind' || options?.some((word) => /^r?bind$/.test(word))),
  );
  const wanted = new Map(
    bound ? [] : defaults.map((device) => [device.path, { device, field: 'linux.devices' }]),
  );
  for (const [i, device] of (spec.linux?.devices ?? []).entries())
    wanted.set(posix.normalize(device.path), { device, field: `linux.devices[${i}]` });
  if (bound && wanted.size === 0) return [];

  const mayMknod = !namespace(spec, 'user') && facts.capabilities.includes('CAP_MKNOD');
  return [
    ...ownDev,
    ...[...wanted.values()].flatMap(({ device, field }) => {
      const sort = sortOf(device, field);
      return mayMknod || device.type === 'p' ? node(device, sort, field) : shown(device, sort, field);
    }),
    ...(bound
      ? []
      : links.map((link): Draft => ({ ...inDev, kind: 'symlink', ...link, tolerate: ['EEXIST'] }))),
    ...console(spec),
  ];
}

const common = { at: 'child', phase: 'devices' } as const;
const inDev = { ...common, dir: 'dev', field: 'linux.devices' } as const;
/** By descriptor from here on, and not through a symlink: a rootfs that makes /dev one is refused. */
const ownDev: readonly Draft[] = [
  { ...inDev, kind: 'mkdir', dir: 'root', path: '/dev', mode: 0o755, tolerate: ['EEXIST', 'EROFS'] },
  {
    ...inDev,
    kind: 'open',
    dir: 'root',
    path: '/dev',
    flags: ['O_PATH', 'O_DIRECTORY', 'O_NOFOLLOW'],
    as: 'dev',
  },
];

function sortOf({ type, path, major, minor }: Device, field: string): number {
  const sort = sorts[type];
  if (sort === undefined)
    throw new PlanError(`${field}.type is ${JSON.stringify(type)}; it takes c, u, b or p`);
  if (!path.startsWith('/'))
    throw new PlanError(`${field}.path is ${JSON.stringify(path)}; it takes a full path`);
  if (type !== 'p' && (major === undefined || minor === undefined))
    throw new PlanError(`${field}: a device of type ${type} needs major and minor`);
  return sort;
}

/** A path of /dev goes by its descriptor; any other may be anywhere in the rootfs. */
function placeOf(full: string): { dir: string; path: string } {
  const path = posix.normalize(full);
  const below = path.startsWith('/dev/');
  return below ? { dir: 'dev', path: path.slice('/dev/'.length) } : { dir: 'root', path };
}

function node(
  { path, major = 0, minor = 0, fileMode = 0o666, uid, gid }: Device,
  sort: number,
  field: string,
): Draft[] {
  const here = { ...common, field, ...placeOf(path) };
  const above = dirname(here.path);
  const mode = sort | (fileMode & 0o7777);
  return [
    ...(above === '.' || above === '/'
      ? []
      : [
          {
            ...here,
            kind: 'mkdir',
            path: above,
            mode: 0o755,
            parents: true,
            tolerate: ['EEXIST', 'EROFS'],
          } as const,
        ]),
    { ...here, kind: 'mknod', mode, major, minor },
    ...(uid || gid ? [{ ...here, kind: 'chown', uid: uid ?? 0, gid: gid ?? 0 } as const] : []),
  ];
}

/** Inside a user namespace mknod(2) is refused even to root, so the host's node is shown: with the host's owner and mode. */
function shown({ path, major = 0, minor = 0 }: Device, sort: number, field: string): Draft[] {
  const here = { ...common, field };
  return [
    { ...here, kind: 'open_tree', path, as: 'tree' },
    { ...here, kind: 'verify', dir: 'tree', path: '', sort, major, minor },
    { ...here, kind: 'mountpoint', ...placeOf(path), like: 'tree', tolerate: ['EROFS'] },
    { ...here, kind: 'move_mount', fd: 'tree', dir: placeOf(path).dir, target: placeOf(path).path },
  ];
}

/**
 * The terminal, once more under the name /dev/console. What is bound there is the descriptor of the very terminal: a name
 * such as /dev/pts/0 could be another thing by then.
 */
function console(spec: Spec): Draft[] {
  if (!spec.process?.terminal || !spec.mounts?.some(({ type }) => type === 'devpts')) return [];
  const here = { at: 'child', field: 'process.terminal' } as const;
  return [
    { ...here, phase: 'devices', kind: 'mountpoint', dir: 'dev', path: 'console', file: true },
    { ...here, phase: 'terminal', kind: 'open_tree', dir: 'pts', path: '', as: 'tree' },
    { ...here, phase: 'terminal', kind: 'move_mount', fd: 'tree', dir: 'dev', target: 'console' },
  ];
}
