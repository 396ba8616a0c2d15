/** Lesson 0: a container is a process. It is cloned, made ready, and becomes the program. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { PlanError } from '../../src/plan/error.ts';
import { rlimits } from '../../src/steps/rlimits.ts';
import { scheduling } from '../../src/steps/scheduling.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = [
  'process.args',
  'process.env',
  'process.cwd',
  'process.terminal',
  'process.consoleSize',
  'process.user',
  'process.rlimits',
  'process.oomScoreAdj',
  'process.scheduler',
  'process.ioPriority',
  // For a further process in a running container only (runtime/exec.ts).
  'process.execCPUAffinity',
  'linux.personality',
  'linux.memoryPolicy',
];

export default function process(spec: Spec, _facts: Facts): Draft[] {
  const { process } = spec;
  if (!process) return [];
  return [
    // #region birth
    { at: 'child', phase: 'terminal', kind: 'setsid' },
    { at: 'host', phase: 'clone', kind: 'clone', flags: [] },
    // #endregion
    ...oom(process),
    ...terminal(spec, process),
    ...rlimits(process),
    ...scheduling(spec),
    ...ids(process),
    // #region exec
    {
      at: 'child',
      phase: 'privileges', // as the user that the program runs as, and before a filter that may forbid it
      kind: 'chdir',
      ...insideRoot(spec),
      path: process.cwd,
      field: 'process.cwd',
    },
    {
      at: 'child',
      phase: 'exec',
      kind: 'exec',
      argv: process.args,
      envp: process.env ?? [],
      field: 'process.args',
    },
    // #endregion
  ];
}

type Process = NonNullable<Spec['process']>;

// Resolved inside the root and through no magic link: a cwd such as /proc/self/fd/7 must not lead out again.
const insideRoot = (spec: Spec) => (spec.root ? ({ dir: 'root' } as const) : {});

function oom({ oomScoreAdj }: Process): Draft[] {
  if (oomScoreAdj === undefined) return [];
  if (!Number.isInteger(oomScoreAdj) || Math.abs(oomScoreAdj) > 1000)
    throw new PlanError(
      `process.oomScoreAdj is ${oomScoreAdj}; it takes -1000 to 1000 (proc_pid_oom_score_adj(5))`,
    );
  const write = { kind: 'write', dir: 'proc', path: 'oom_score_adj', data: String(oomScoreAdj) } as const;
  return [{ at: 'host', phase: 'identity', ...write, field: 'process.oomScoreAdj' }];
}

/** The program's terminal is opened on the container's own devpts, so that its name is true inside. */
function terminal(spec: Spec, { terminal, consoleSize }: Process): Draft[] {
  if (!terminal) return [];
  const ownDevpts = namespace(spec, 'mount') && spec.mounts?.some((mount) => mount.type === 'devpts');
  const ptmx = ownDevpts ? { dir: 'root', path: '/dev/pts/ptmx' } : { path: '/dev/ptmx' };
  const common = { at: 'child', phase: 'terminal', field: 'process.terminal' } as const;
  return [
    // Without a root of its own devices, the host's must be reached before chroot.
    {
      ...common,
      phase: ownDevpts ? 'terminal' : 'mounts',
      kind: 'open',
      ...ptmx,
      flags: ['O_RDWR', 'O_NOCTTY'],
      as: 'ptmx',
    },
    { ...common, kind: 'openpts', master: 'ptmx', as: 'pts' },
    ...(consoleSize
      ? [
          {
            ...common,
            kind: 'winsize',
            fd: 'ptmx',
            rows: consoleSize.height,
            columns: consoleSize.width,
          } as const,
        ]
      : []),
    { ...common, kind: 'handover', fd: 'ptmx' },
    { ...common, kind: 'ctty', fd: 'pts' },
  ];
}

/** Groups first, user last: once the user is not root, it may not choose groups any more. */
function ids({ user }: Process): Draft[] {
  if (!user) return [];
  const gids = user.additionalGids ?? [];
  const common = { at: 'child', phase: 'ids', field: 'process.user' } as const;
  return [
    // Also when there are none: those of whoever started us are not the program's. Where the kernel forbids it
    // (user_namespaces(7), "setgroups"), they stay.
    { ...common, kind: 'setgroups', gids, ...(gids.length > 0 ? {} : { tolerate: ['EPERM'] }) },
    { ...common, kind: 'setgid', gid: user.gid },
    { ...common, kind: 'setuid', uid: user.uid },
    ...(user.umask === undefined ? [] : [{ ...common, kind: 'umask', mask: user.umask } as const]),
  ];
}
