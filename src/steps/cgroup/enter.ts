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
    ...[...new Set(Object.values(controllers))].map(
      (directory): Draft => ({
        at: 'host',
        phase: 'cgroup',
        kind: 'writepid',
        path: `${directory}/cgroup.procs`,
        field,
      }),
    ),
  ];
}
