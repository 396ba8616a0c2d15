/** The devices and links that every container has in /dev (config-linux.md, "Default Devices"; runtime-linux.md, "Dev symbolic links"). */
import type { Facts } from '../facts/facts.ts';
import type { Draft } from './stage.ts';

const nodes = [
  { name: 'null', major: 1, minor: 3 },
  { name: 'zero', major: 1, minor: 5 },
  { name: 'full', major: 1, minor: 7 },
  { name: 'random', major: 1, minor: 8 },
  { name: 'urandom', major: 1, minor: 9 },
  { name: 'tty', major: 5, minor: 0 },
];

const links = [
  { name: 'fd', target: '/proc/self/fd' },
  { name: 'stdin', target: '/proc/self/fd/0' },
  { name: 'stdout', target: '/proc/self/fd/1' },
  { name: 'stderr', target: '/proc/self/fd/2' },
  { name: 'ptmx', target: 'pts/ptmx' },
];

const S_IFCHR = 0o020000;

/** Inside a user namespace mknod(2) is refused even to root, so the host's nodes are shown instead. */
export function defaultDevices(facts: Facts, inUserNamespace: boolean): Draft[] {
  const mayMknod = !inUserNamespace && facts.capabilities.includes('CAP_MKNOD');
  const common = { at: 'child', phase: 'mounts', dir: 'root', field: 'mounts' } as const;
  return [
    ...nodes.flatMap(({ name, major, minor }): Draft[] => {
      const path = `/dev/${name}`;
      if (mayMknod)
        return [
          { ...common, kind: 'mknod', path, mode: S_IFCHR | 0o666, major, minor, tolerate: ['EEXIST'] },
        ];
      return [
        { ...common, kind: 'open', path, flags: ['O_CREAT', 'O_NOFOLLOW'], mode: 0o666 },
        { ...common, kind: 'mount', source: path, target: path, flags: ['MS_BIND'] },
      ];
    }),
    ...links.map(
      ({ name, target }): Draft => ({
        ...common,
        kind: 'symlink',
        path: `/dev/${name}`,
        target,
        tolerate: ['EEXIST'],
      }),
    ),
  ];
}
