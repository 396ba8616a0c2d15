/**
 * The box around a learner's attempt: a container of the runtime's own, which stands for the host. A launcher in it
 * performs the learner's plan. To that plan, and to every program that it brings along, the box is the machine: it may
 * do there what root may do. Outside, its root is an id that owns nothing, and no file of the host's is in its tree.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { statusOf } from '../evidence/process.ts';
import type { Facts } from '../facts/facts.ts';
import { probe } from '../facts/probe.ts';
import { isMappedHere } from '../facts/userns.ts';
import { converse, KEPT } from '../launch/launcher.ts';
import { StartError } from '../launch/start-error.ts';
import { defaultSpec } from '../oci/default.ts';
import { defaultSeccomp } from '../oci/default-seccomp.ts';
import type { NamespaceType, Spec } from '../oci/spec.ts';
import { packageRoot } from '../package-root.ts';
import type { Plan, Step } from '../plan/step.ts';
import { type Exit, exitOf } from '../runtime/exit.ts';
import { ledgerFor } from '../runtime/ledgers.ts';
import { withOwnCgroup } from '../runtime/own-cgroup.ts';
import { planFor, withOrigin } from '../runtime/plan.ts';
import { copyRootfs } from '../runtime/rootfs.ts';
import { type Container, newId, perform, type StartOptions } from '../runtime/run.ts';
import { bounded, cgroupInBox, cgroupMount, givenAway } from './box-cgroup.ts';
import { descendants } from './processes.ts';

/**
 * Ids that are nobody's: between those that distributions and systemd hand out (systemd.io/UIDS-GIDS). Boxes of different
 * tslabs mostly have different ones; and if not, they still have no file and no process number in common.
 */
const IDS = 65536;
const nobodys = 0x7000_0000 + (process.pid % 4094) * IDS;
/** In an ordinary user's own namespace there are no such ids; there the box is the learner's own, as is what it could harm. */
const strangers = isMappedHere(nobodys);
export const boxUid = strangers ? nobodys : 0;
const ids = (first: number, size: number) => ({ containerID: first, hostID: boxUid + first, size });
export const boxIds = strangers
  ? [ids(0, IDS)]
  : // A line of a map may not go across two of the namespace around (user_namespaces(7)): the learner's own id, and a range.
    [ids(0, 1), ...(isMappedHere(IDS - 2) ? [ids(1, IDS - 2)] : [])];

const types: readonly NamespaceType[] = ['user', 'mount', 'pid', 'uts', 'ipc', 'network', 'cgroup'];
export const isolated = { namespaces: types.map((type) => ({ type })) };

/** What the learner's plan asks first: a `/` that is shared, as systemd makes it, so that a forgotten MS_PRIVATE shows. */
export const sharedTree: readonly Step[] = [
  withOrigin(
    { at: 'host', phase: 'prepare', kind: 'mount', target: '/', flags: ['MS_REC', 'MS_SHARED'] },
    'box',
  ),
];

/** Capabilities that the kernel asks for in the first user namespace alone (user_namespaces(7)), so the box has none of them. */
const outsideOnly = [
  'CAP_MKNOD',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_BOOT',
  'CAP_SYS_TIME',
];

/** The host's facts, as far as they hold in the box; one `withCgroups` of its own has them to give. */
export const factsInBox = (facts: Facts, withCgroups: boolean): Facts => ({
  ...facts,
  capabilities: facts.capabilities.filter((name) => !outsideOnly.includes(name)),
  cgroup: withCgroups ? cgroupInBox(facts) : { ...facts.cgroup, writable: false },
  // Its root is the root of a user namespace.
  ...(facts.overlay ? { overlay: { ...facts.overlay, ownRoot: true, mapsLayers: false } } : {}),
});

/** A folder for root file systems that boxes get to see under the same path. Who is in there can't rename what it holds. */
export function furnishBox(parent: string): string {
  const folder = join(parent, 'host');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  // Only root and the box's root can come by here: the box's files are nobody else's to run.
  chownSync(parent, 0, boxUid);
  chmodSync(parent, 0o710);
  const machine = copyRootfs(join(parent, 'box'));
  copyFileSync(join(packageRoot, 'native/build/launch'), join(machine, 'launch'));
  chmodSync(join(machine, 'launch'), 0o755);
  giveToBox(machine);
  return folder;
}

/** Symlinks themselves, never where they lead. */
export function giveToBox(path: string): void {
  execFileSync('chown', ['-hR', `${boxUid}:${boxUid}`, '--', path]);
}

function boxSpec(folder: string, withCgroups: boolean): Spec {
  const root = join(folder, '../box');
  const spec = defaultSpec({ args: ['/launch', '--control', String(KEPT)], rootfs: root, lesson: 'mount' });
  return {
    ...spec,
    process: {
      args: [],
      cwd: '/',
      ...spec.process,
      env: [],
      rlimits: limits,
      capabilities: allOf(factsInBox(probe(), withCgroups)),
    },
    mounts: [
      ...(spec.mounts ?? []),
      // Who mounts one inside has to see one already (mount_namespaces(7), "Restrictions on mount namespaces").
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
      ...(withCgroups ? [cgroupMount] : []),
      { destination: folder, type: 'bind', source: folder, options: ['bind'] },
    ],
    linux: { ...isolated, uidMappings: boxIds, gidMappings: boxIds, seccomp },
  };
}

/** Less of the kernel to find a flaw in: namespaces and mounts are what a plan is about; io_uring, keys and file handles are not. */
const seccomp = defaultSeccomp(['CAP_SYS_ADMIN', 'CAP_SYS_CHROOT']);

/**
 * A machine's root has them all; these are good for what belongs to the box's user namespace. CAP_SYS_TIME is, too: for
 * the offsets of a new time namespace (time_namespaces(7)), and for no clock of the host's.
 */
const allOf = ({ capabilities }: Facts) => {
  const all = [...capabilities, 'CAP_SYS_TIME'];
  return { bounding: all, effective: all, permitted: all };
};

/** Of one id that only this box has: a bomb of forks or of bytes is the box's own. */
const limits = [
  { type: 'RLIMIT_NPROC', soft: 256, hard: 256 },
  { type: 'RLIMIT_FSIZE', soft: 64 << 20, hard: 64 << 20 },
  { type: 'RLIMIT_DATA', soft: 512 << 20, hard: 512 << 20 },
  { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
];

/** By root, before there is a box: its mounts would inherit a `nosuid` or `noexec` of the host's that it can't take off. */
function plainMounts(folder: string): Step[] {
  const common = { at: 'host', phase: 'prepare' } as const;
  const plain = (path: string) =>
    [
      { ...common, kind: 'mount', source: path, target: path, flags: ['MS_BIND'] },
      { ...common, kind: 'mount', target: path, flags: ['MS_REMOUNT', 'MS_BIND'] },
    ] as const;
  return [
    { ...common, kind: 'unshare', flags: ['CLONE_NEWNS'] } as const,
    { ...common, kind: 'mount', target: '/', flags: ['MS_REC', 'MS_PRIVATE'] } as const,
    ...plain(folder),
    ...plain(join(folder, '../box')),
  ].map((draft) => withOrigin(draft, 'box'));
}

/** A box whose launcher waits for a plan; `stop` ends all that is in it. */
export const openBox = (folder: string, withCgroups: boolean): Promise<Container> =>
  startWall(boxSpec(folder, withCgroups), plainMounts(folder), { keep: true, withCgroups });

/**
 * A container around learners' code: with a cgroup, where there are any, so that all of it together stays small.
 *
 * @throws Error, never StartError: that would be the learner's failure, and a wall that can't be built is the host's.
 */
export async function startWall(
  spec: Spec,
  before: readonly Step[],
  { withCgroups = false, ...options }: StartOptions & { withCgroups?: boolean } = {},
): Promise<Container> {
  const [id, facts] = [newId(), probe(spec)];
  const whole = counted(withOwnCgroup(id, spec, facts), facts, withCgroups);
  const path = withCgroups ? whole.linux?.cgroupsPath : undefined;
  const after = path === undefined ? [] : givenAway(path, facts, boxUid);
  const plan = planFor(id, whole, facts, undefined, { before, after });
  try {
    return await perform(plan, { ...options, stdio: ['pipe', 'pipe', 'pipe'], ledger: ledgerFor(id) });
  } catch (cause) {
    throw new Error(`learners’ code needs a user namespace around it: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Memory holds what a tmpfs holds, too. */
function counted(spec: Spec, facts: Facts, withCgroups: boolean): Spec {
  const { cgroup } = facts;
  if (!spec.linux?.cgroupsPath) return spec;
  const has = (name: string) => name in cgroup.controllers || cgroup.unifiedControllers?.includes(name);
  const resources = {
    ...(has('memory') ? { memory: { limit: 1536 << 20 } } : {}),
    ...(has('pids') ? { pids: { limit: 512 } } : {}),
  };
  return {
    ...spec,
    linux: { ...spec.linux, resources: withCgroups ? bounded(resources, facts) : resources },
  };
}

/** A container in a box. */
export interface Boxed {
  /** As the host counts; 0 if it has ended already. */
  pid: number;
  /** What the box had mounted before the plan was begun. */
  mountsBefore: string;
  exit: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Performs the plan in the box. What the launcher in there says is worth no more than what the program prints: one that
 * is root there may speak in its place. So nothing that it says may name a process or a file outside, or make us throw.
 *
 * @throws StartError when a step of the plan fails.
 */
export async function performIn(box: Container, plan: Plan): Promise<Boxed> {
  if (!box.kept) throw new Error('box: no socket');
  const mountsBefore = readFileSync(`/proc/${box.pid}/mountinfo`, 'utf8');
  const runs = Promise.withResolvers<number>();
  let ended: Exit | undefined;
  let failure: Error | undefined;
  let born = 0;
  const send = converse(box.kept, plan, ({ type, step, errno, value }) => {
    if (type === 'born') born = value;
    else if (type === 'running') runs.resolve(born);
    else if (type === 'exited') ended ??= exitOf(value);
    else if (type === 'failed') failure ??= explain(plan, step, errno);
  });
  const exit = box.exit.then(
    () => {
      if (ended) return ended;
      throw failure ?? new Error('the launcher in the box was ended');
    },
    () => {
      throw failure ?? new Error('the box was ended');
    },
  );
  exit.catch(runs.reject);
  return {
    pid: onHost(box.pid, await runs.promise),
    mountsBefore,
    exit,
    kill: (signal) => send('signal', constants.signals[signal]),
  };
}

/** A step that the plan doesn't have and an error that the kernel doesn't have can be told, too. */
function explain(plan: Plan, step: number, errno: number): Error {
  try {
    return new StartError(plan, step, errno);
  } catch (error) {
    return error as Error;
  }
}

/** Our number of a process that the box numbers so. */
function onHost(box: number, inBox: number): number {
  return [box, ...descendants(box)].find((pid) => statusOf(pid)?.numbers[1] === inBox) ?? 0;
}
