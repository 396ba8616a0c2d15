/** A further process in a running container: the same steps, but namespaces are joined, not made. */

import { stages } from '../../lessons/index.ts';
import { probe } from '../facts/probe.ts';
import type { Process, Spec } from '../oci/spec.ts';
import { compose } from '../plan/compose.ts';
import type { Step } from '../plan/step.ts';
import { cloneFlags } from '../steps/join.ts';
import { execAffinity } from '../steps/scheduling.ts';
import { withOrigin } from './plan.ts';
import { type Container, perform, type StartOptions } from './run.ts';
import type { State } from './state.ts';

/** What a joined process gets anew: itself, and its rights. All else is the container's already. */
const ownStages = ['process', 'harden'];

/** @throws StartError, with ESRCH if the container has ended meanwhile. */
export function exec(state: State, process: Process, options: StartOptions = {}): Promise<Container> {
  const id = `${state.id}-exec-${globalThis.process.pid}`;
  // Without a mount namespace in it, no stage opens or mounts anything.
  const { seccomp, personality, namespaces = [] } = state.spec.linux ?? {};
  const spec: Spec = {
    ociVersion: state.spec.ociVersion,
    root: { path: '/' },
    process,
    linux: {
      // It decides which capabilities can be given there.
      namespaces: namespaces.filter(({ type }) => type === 'user'),
      ...(seccomp ? { seccomp } : {}),
      ...(personality ? { personality } : {}),
    },
  };
  const facts = { ...probe(spec), container: { id: state.id } };
  const own = stages
    .filter((stage) => ownStages.includes(stage.id))
    .flatMap((stage) => stage.plan(spec, facts).map((draft) => withOrigin(draft, stage.id)));
  const affinity = execAffinity(process).map((draft) => withOrigin(draft, 'process'));
  return perform(compose(id, [...join(state), ...own, ...affinity]), options);
}

function join({ pid, startTime, spec }: State): Step[] {
  const types = (spec.linux?.namespaces ?? []).map(({ type }) => type);
  const from = { lesson: 'pid', field: 'linux.namespaces' };
  const others = types.filter((type) => type !== 'pid').map((type) => cloneFlags[type]);
  return [
    { at: 'host', phase: 'prepare', kind: 'pidfd', pid, startTime, as: 'target', from },
    // Seen before the host's /proc is left: where a container without a mount namespace has its root.
    {
      at: 'host',
      phase: 'prepare',
      kind: 'open',
      path: `/proc/${pid}/root`,
      flags: ['O_PATH', 'O_DIRECTORY'],
      as: 'root',
      from,
    },
    ...(types.includes('pid')
      ? [
          {
            at: 'host',
            phase: 'prepare',
            kind: 'setns',
            fd: 'target',
            flags: ['CLONE_NEWPID'],
            from,
          } as const,
        ]
      : []),
    // The others in the container must not look into a process that is still the launcher (ptrace(2)).
    { at: 'child', phase: 'join', kind: 'prctl', option: 'PR_SET_DUMPABLE', value: 0, from },
    ...(others.length > 0
      ? [{ at: 'child', phase: 'join', kind: 'setns', fd: 'target', flags: others, from } as const]
      : []),
    { at: 'child', phase: 'root', kind: 'chdir', dir: 'root', path: '.', from },
    { at: 'child', phase: 'root', kind: 'chroot', path: '.', from },
  ];
}
