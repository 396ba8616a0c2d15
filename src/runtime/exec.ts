/** A further process in a running container: the same steps, but namespaces are joined, not made. */

import { join } from 'node:path';
import { stages } from '../../lessons/index.ts';
import { cgroupPaths } from '../evidence/cgroup.ts';
import type { CgroupFacts } from '../facts/facts.ts';
import { probe } from '../facts/probe.ts';
import type { Process, Spec } from '../oci/spec.ts';
import { compose } from '../plan/compose.ts';
import type { Step } from '../plan/step.ts';
import { enterSteps } from '../steps/cgroup/enter.ts';
import type { CgroupDirectories } from '../steps/cgroup/place.ts';
import { isMapped } from '../steps/idmap.ts';
import { cloneFlags } from '../steps/join.ts';
import { execAffinity } from '../steps/scheduling.ts';
import type { Draft } from '../steps/stage.ts';
import { directoriesOf, isFrozen } from './cgroup.ts';
import { LifecycleError } from './lifecycle-error.ts';
import { withOrigin } from './plan.ts';
import { type Container, type PerformOptions, perform } from './run.ts';
import { type Sockets, socketSteps } from './sockets.ts';
import type { State } from './state.ts';

/** What a joined process gets anew: itself, and its rights. All else is the container's already. */
const ownStages = ['process', 'harden'];

export interface ExecOptions extends Omit<PerformOptions, 'ledger'>, Sockets {
  /** A cgroup below the container's, which is there: a path, or `controller:path` for one hierarchy of v1. */
  cgroup?: string | undefined;
  /** It is born in a paused one as well, and stands still until somebody resumes that. */
  ignorePaused?: boolean | undefined;
  /** Steps behind the stages'. */
  after?: readonly Step[];
}

/** @throws StartError, with ESRCH if the container has ended meanwhile; LifecycleError if it is paused: what is born there stands still. */
export async function exec(state: State, process: Process, options: ExecOptions = {}): Promise<Container> {
  const directories = state.spec.linux?.cgroupsPath ? directoriesOf(state) : undefined;
  if (directories && isFrozen(directories) && !options.ignorePaused)
    throw new LifecycleError(
      `cannot exec in a paused container: ${state.id}: it is paused; tslab unpause ${state.id}, or resume it`,
    );
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
  const enter = cgroupOf(state, directories, facts.cgroup, options.cgroup).map((draft) =>
    withOrigin(draft, 'cgroup'),
  );
  const sockets = socketSteps(process, options, !options.leave);
  const steps = [
    ...enter,
    ...joinNamespaces(state),
    ...own,
    ...affinity,
    ...sockets,
    ...(options.after ?? []),
  ];
  return await perform(compose(id, steps), options);
}

/** So that its limits and counts are the container's; while the host hand has not joined anything yet. */
function cgroupOf(
  { id, pid }: State,
  directories: CgroupDirectories | undefined,
  facts: CgroupFacts,
  below: string | undefined,
): readonly Draft[] {
  if (!directories && below !== undefined)
    throw new LifecycleError(`--cgroup ${below}: container ${id} has no cgroup of its own`);
  if (!directories) return [];
  if (below !== undefined) return enterSteps(cgroupBelow(directories, below));
  const { unified, controllers } = directories;
  if (unified === undefined || facts.unified === undefined) return enterSteps({ controllers });
  // A v2 cgroup that an init inside has divided takes no processes itself any more (cgroups(7)): then to where that is.
  const deeper = join(facts.unified, cgroupPaths(pid)[''] ?? '');
  return enterSteps({ unified: deeper.startsWith(`${unified}/`) ? deeper : unified, controllers });
}

/** @throws LifecycleError for one that is not below the container's, or of a controller that is not there. */
function cgroupBelow({ unified, controllers }: CgroupDirectories, asked: string): CgroupDirectories {
  const [, names, path = ''] = /^(?:([\w,=]+):)?(.*)$/.exec(asked) ?? [];
  if (path === '' || path.split('/').includes('..'))
    throw new LifecycleError(`--cgroup ${asked}: it takes a path below the container's own cgroup`);
  const inside = (directory: string) => join(directory, path);
  const chosen = names?.split(',');
  const stranger = chosen?.find((name) => !(name in controllers));
  if (stranger !== undefined)
    throw new LifecycleError(`--cgroup ${asked}: there is no hierarchy of cgroup v1 with ${stranger} here`);
  const moved = Object.entries(controllers).map(([name, directory]) => [
    name,
    chosen === undefined || chosen.includes(name) ? inside(directory) : directory,
  ]);
  const deeper = unified === undefined || chosen ? unified : inside(unified);
  return { ...(deeper === undefined ? {} : { unified: deeper }), controllers: Object.fromEntries(moved) };
}

/** Seen before the host's /proc is left: where a container without a mount namespace has its root. */
const rootOf = (pid: number) =>
  ({ kind: 'open', path: `/proc/${pid}/root`, flags: ['O_PATH', 'O_DIRECTORY'], as: 'root' }) as const;

/**
 * The user namespace first: its capabilities are what the others ask for (setns(2)). It and those that only take
 * effect for children are the host hand's to join, the others the child's.
 */
function joinNamespaces({ pid, startTime, spec }: State): Step[] {
  const types = (spec.linux?.namespaces ?? []).map(({ type }) => type);
  const from = { lesson: 'pid', field: 'linux.namespaces' };
  const host = { at: 'host', phase: 'prepare', from } as const;
  const child = { at: 'child', from } as const;
  const hosts = (['user', 'pid', 'time'] as const).filter((type) => types.includes(type));
  const childs = types.filter((type) => !hosts.some((other) => other === type));
  const becomeRoot = { ...child, phase: 'join' } as const;
  return [
    { ...host, kind: 'pidfd', pid, startTime, as: 'target' },
    { ...host, ...rootOf(pid) },
    // Nobody in the container may look into a process that is still the launcher (ptrace(2)); the child inherits this.
    { ...host, kind: 'prctl', option: 'PR_SET_DUMPABLE', value: 0 },
    ...hosts.map((type): Step => ({ ...host, kind: 'setns', fd: 'target', flags: [cloneFlags[type]] })),
    ...(childs.length > 0
      ? [
          {
            ...child,
            phase: 'join',
            kind: 'setns',
            fd: 'target',
            flags: childs.map((type) => cloneFlags[type]),
          } as const,
        ]
      : []),
    ...(types.includes('user')
      ? ([
          // What the asker's own groups may is not the container's to do, nor can it always be refused (setgroups: deny).
          { ...becomeRoot, kind: 'setgroups', gids: [], tolerate: ['EPERM'] },
          ...(hasRoot(spec)
            ? ([
                { ...becomeRoot, kind: 'setgid', gid: 0 },
                { ...becomeRoot, kind: 'setuid', uid: 0 },
              ] as const)
            : []),
        ] as const)
      : []),
    { ...child, phase: 'root', kind: 'chdir', dir: 'root', path: '.' },
    { ...child, phase: 'root', kind: 'chroot', path: '.' },
  ];
}

/** Maps of a namespace that was joined are another's, and not in the config. */
function hasRoot({ linux }: Spec): boolean {
  return linux?.uidMappings === undefined || isMapped(linux.uidMappings, 0);
}
