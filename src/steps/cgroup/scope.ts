/**
 * A cgroup where systemd gives away the places: a scope that is delegated to us (systemd.scope(5); systemd.resource-control(5),
 * "Delegate="; https://systemd.io/CGROUP_DELEGATION). Every cgroup has one writer, so the place has two storeys:
 *
 *     machine.slice/libpod-web.scope             systemd's: limits are its properties, which a daemon-reload writes again
 *     machine.slice/libpod-web.scope/container   ours: all limits by file, as without systemd; the top that the container sees
 *
 * The scope itself holds no processes, or it could hand out no controllers (cgroups(7), "no internal processes").
 */
import { dirname, join } from 'node:path';
import type { Facts, SystemdFacts } from '../../facts/facts.ts';
import type { Spec } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import type { Undo } from '../../plan/step.ts';
import type { Draft } from '../stage.ts';
import { handOut, limitSteps, makeTree, ownerSteps } from './make.ts';
import { directoriesIn, type Tree, treesOf } from './place.ts';
import { type Property, propertiesFor, requested } from './properties.ts';
import type { Limit } from './resources.ts';
import { scopeIn } from './scope-name.ts';

/** What stands for the child's pid until it is born. */
const PID_WORD = '@PID-OF-THE-CONTAINER@';

/** ms. */
const PATIENCE = 15_000;

const common = { phase: 'scope', field: 'linux.cgroupsPath' } as const;
const at = 'host';

/** Controllers that systemd leaves to others (systemd.resource-control(5), "Delegate="). */
const notSystemds = ['hugetlb', 'rdma', 'misc'];

/**
 * A scope takes a process, not a name, so the child is there already. It moves on by itself while its ids are still
 * those of its maker, to whom these files belong.
 *
 * @param cgroupsPath as withScope settled on it.
 */
export function scopeSteps(
  spec: Spec,
  cgroupsPath: string,
  systemd: SystemdFacts,
  facts: Facts,
  wanted: readonly Limit[],
): Draft[] {
  const { unit, slice, path } = scopeIn(cgroupsPath);
  const resources = spec.linux?.resources ?? {};
  const trees = treesOf(cgroupsPath, facts.cgroup);
  const directories = directoriesIn(trees);
  const properties: Property[] = [
    ['Description', 's', `tslab container ${facts.container?.id ?? unit}`],
    ['Slice', 's', slice],
    ['PIDs', 'au', '1', PID_WORD],
    ['Delegate', 'b', 'true'],
    // Else one that was killed for want of memory would keep its name until somebody resets it.
    ['CollectMode', 's', 'inactive-or-failed'],
    ...propertiesFor(wanted, resources, systemd.manager),
    ...requested(spec.annotations),
  ];
  return [
    {
      ...managerCall(
        systemd,
        'StartTransientUnit',
        'ssa(sv)a(sa(sv))',
        unit,
        'fail',
        ...counted(properties),
        '0',
      ),
      pidWord: PID_WORD,
      undo: stopped(unit, systemd),
    },
    active(unit, systemd),
    ...trees.flatMap((tree) => (tree.v2 ? strangers(tree, facts, wanted) : [])),
    // What is handed out comes later: a cgroup that holds processes hands out nothing.
    ...trees.flatMap((tree) => makeTree(tree.v2 ? below(tree, path) : tree, facts.cgroup, wanted)),
    ...trees.map(enter),
    ...trees.flatMap((tree) => (tree.v2 ? handOut(dirname(tree.own), facts.cgroup, wanted) : [])),
    ...limitSteps(wanted, resources, directories, facts.cgroup),
    ...ownerSteps(spec, directories, facts),
  ].map((draft): Draft => ({ ...draft, phase: 'scope' }));
}

/** A method of org.freedesktop.systemd1.Manager (org.freedesktop.systemd1(5)), in busctl(1)'s words. */
export function managerCall(systemd: SystemdFacts, method: string, signature: string, ...values: string[]) {
  const { busctl, manager, env } = systemd;
  if (busctl === undefined)
    throw new PlanError('linux.cgroupsPath: busctl asks systemd for a scope, and is not there; install it');
  const object = [
    'org.freedesktop.systemd1',
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
  ];
  // No value is an option: the root slice is `-.slice`.
  const argv = ['busctl', `--${manager}`, '--quiet', '--', 'call', ...object, method, signature, ...values];
  return {
    ...common,
    at,
    kind: 'spawn',
    path: busctl,
    argv,
    envp: env,
    input: '',
    timeout: PATIENCE,
  } as const;
}

/** `a(sv)`. */
export const counted = (properties: readonly Property[]): string[] => [
  String(properties.length),
  ...properties.flat(),
];

/**
 * The call is answered when the job is queued, and under v1 the process goes from hierarchy to hierarchy: only with all
 * that done is the unit active. busctl can't wait for a signal, so it is asked for; the first answer mostly is yes.
 */
function active(unit: string, { systemctl = 'systemctl', manager, env }: SystemdFacts): Draft {
  const question = [systemctl, `--${manager}`, '--quiet', 'is-active', unit];
  const argv = ['sh', '-c', 'until "$@"; do sleep 0.01; done', 'sh', ...question];
  return { ...common, at, kind: 'spawn', path: '/bin/sh', argv, envp: env, input: '', timeout: PATIENCE };
}

/**
 * Mostly it is gone by itself, as its last process was: then a name would be an error, but a pattern that fits nothing is
 * none. systemctl waits for the job, so that the name is free again afterwards.
 */
function stopped(unit: string, { systemctl = 'systemctl', manager, env }: SystemdFacts): Undo {
  const pattern = `${unit.slice(0, -1).replaceAll('\\', '\\\\')}[e]`;
  const argv = ['systemctl', `--${manager}`, '--quiet', 'stop', pattern];
  return { kind: 'spawn', path: systemctl, argv, envp: env, input: '', timeout: PATIENCE };
}

/** systemd has made all above it. */
const below = (tree: Tree, path: string): Tree => ({
  ...tree,
  v2: false,
  parents: tree.parents.filter((directory) => directory.endsWith(path)),
});

function enter({ v2, own }: Tree): Draft {
  return { ...common, at: 'child', kind: 'write', path: join(own, v2 ? 'cgroup.procs' : 'tasks'), data: '0' };
}

/** From the top to the slice, what systemd neither hands out nor takes back. */
function strangers({ parents }: Tree, facts: Facts, wanted: readonly Limit[]): Draft[] {
  const theirs = wanted.filter(
    ({ version, controller }) => version === 2 && notSystemds.includes(controller),
  );
  const names = [...new Set(theirs.map(({ controller }) => `+${controller}`))].join(' ');
  if (!theirs[0] || facts.uid !== 0) return [];
  const { field } = theirs[0];
  return parents.slice(0, -1).map(
    (top): Draft => ({
      ...common,
      at,
      kind: 'write',
      path: `${top}/cgroup.subtree_control`,
      data: names,
      field,
    }),
  );
}
