/** Lesson 0: a container is a process. It is cloned, made ready, and becomes the program. */
import { type Draft, type Facts, namespace, type Spec } from 'tslab';

export default function process(spec: Spec, _facts: Facts): Draft[] {
  const { process } = spec;
  if (!process) return [];
  return [
    // A session of its own (setsid(2)), so that keys typed at our terminal don't signal the program behind our back.
    { at: 'child', phase: 'terminal', kind: 'setsid' },

    // TODO 1: Let a new process be born: done by the host's hand, in the phase `clone`, with no flags yet.

    ...oom(process),
    ...terminal(spec, process),
    ...limits(process),
    ...ids(process),

    // TODO 2: The child goes to `/`, whatever the config says. Let it go to the directory that the config names.
    { at: 'child', phase: 'exec', kind: 'chdir', ...insideRoot(spec), path: '/', field: 'process.cwd' },
    // TODO 3: The child becomes the program, with its arguments and its environment.
  ];
}

// The rest is given: what a config may ask of a process besides. Nothing to do here.

type Process = NonNullable<Spec['process']>;

// Resolved inside the root, once there is one (lesson 1), and through no magic link.
const insideRoot = (spec: Spec) => (spec.root ? ({ dir: 'root' } as const) : {});

function oom({ oomScoreAdj }: Process): Draft[] {
  if (oomScoreAdj === undefined) return [];
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

function limits({ rlimits }: Process): Draft[] {
  return (rlimits ?? []).map((limit, i) => ({
    at: 'child',
    phase: 'limits',
    kind: 'rlimit',
    resource: limit.type as 'RLIMIT_NOFILE',
    soft: limit.soft,
    hard: limit.hard,
    field: `process.rlimits[${i}]`,
  }));
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
