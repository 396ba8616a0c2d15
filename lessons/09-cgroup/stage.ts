/** Lesson 9: what the container may use, and who counts it. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { cgroupDirectories } from '../../src/steps/cgroup/directories.ts';
import { joinNamespace } from '../../src/steps/join.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[cgroup]', 'linux.cgroupsPath'];

export default function cgroup(spec: Spec, facts: Facts): Draft[] {
  const path = spec.linux?.cgroupsPath;
  const directories =
    path === undefined || !facts.cgroup.writable ? [] : cgroupDirectories(path, facts.cgroup);
  return [
    ...directories.flatMap((directory): Draft[] => [
      {
        at: 'host',
        phase: 'prepare',
        kind: 'mkdir',
        path: directory,
        mode: 0o755,
        undo: { kind: 'rmdir', path: directory },
        field: 'linux.cgroupsPath',
      },
      {
        at: 'host',
        phase: 'cgroup',
        kind: 'writepid',
        path: `${directory}/cgroup.procs`,
        field: 'linux.cgroupsPath',
      },
    ]),
    ...cgroupNamespace(spec),
  ];
}

/** Made only now: the root of a cgroup namespace is the cgroup that its maker is in (cgroup_namespaces(7)). */
function cgroupNamespace(spec: Spec): Draft[] {
  const wanted = namespace(spec, 'cgroup');
  if (!wanted) return [];
  if (wanted.path !== undefined) return joinNamespace('cgroup', wanted.path);
  return [
    { at: 'child', phase: 'cgroup', kind: 'unshare', flags: ['CLONE_NEWCGROUP'], field: 'linux.namespaces' },
  ];
}
