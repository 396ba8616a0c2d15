/** Into a cgroup: v2's by birth, v1's one hierarchy after the other. */
import type { Draft } from '../stage.ts';
import type { CgroupDirectories } from './place.ts';

export function enterSteps({ unified, controllers }: CgroupDirectories): Draft[] {
  const field = 'linux.cgroupsPath';
  return [
    // Born in it (clone(2), CLONE_INTO_CGROUP): moving a process makes the kernel wait until no other is being forked.
    ...(unified === undefined
      ? []
      : ([
          {
            at: 'host',
            phase: 'prepare',
            kind: 'open',
            path: unified,
            flags: ['O_PATH', 'O_DIRECTORY'],
            as: 'cgroup',
            field,
          },
          { at: 'host', phase: 'clone', kind: 'clone', flags: [], cgroup: 'cgroup', field },
        ] as const)),
    ...[...Map.groupBy(Object.keys(controllers), (name) => controllers[name] ?? '')].flatMap(
      ([directory, names]) => enterOne(directory, `cgroup-${names[0]}`, field),
    ),
  ];
}

/**
 * The child moves itself, by writing 0 for "me" into `tasks`: moving another process, or all threads of one, makes the kernel
 * wait until nobody is being forked, 10 ms and more. Opened by the host hand, whose right to write the kernel asks
 * for (cgroups(7)): in a user namespace the child would have none.
 */
function enterOne(directory: string, as: string, field: string): Draft[] {
  return [
    {
      at: 'host',
      phase: 'prepare',
      kind: 'open',
      path: `${directory}/tasks`,
      flags: ['O_WRONLY'],
      as,
      field,
    },
    { at: 'child', phase: 'cgroup', kind: 'write', dir: as, path: '', data: '0', field },
  ];
}
