/** Lesson 9: what the container may use, and who counts it. */
import {
  cgroupMounts,
  type Draft,
  type Facts,
  handOut,
  joinNamespace,
  type Limit,
  limits,
  namespace,
  type Spec,
  type Tree,
  treesOf,
} from 'tslab';

export default function cgroup(spec: Spec, facts: Facts): Draft[] {
  return [...ownCgroup(spec, facts), ...cgroupNamespace(spec), ...cgroupMounts(spec, facts)];
}

function ownCgroup(spec: Spec, facts: Facts): Draft[] {
  const { cgroupsPath: path, resources = {} } = spec.linux ?? {};
  if (!path || !facts.cgroup.writable) return [];
  // Under v1 a tree for each controller, under v2 one for all; in each, `tree.own` is the path of our directory.
  const trees = treesOf(path, facts.cgroup);
  // What the config asks for, in the words of this host's version: `{ file: 'pids.max', data: '20', … }`, and more of them.
  const ceilings = limits(resources, facts);
  return [
    ...trees.flatMap((tree) => [...controllersFor(tree, ceilings, facts), ...room(tree.own)]),
    ...ceilings.flatMap((limit) => ceiling(limit, directoryFor(limit, trees))),
    ...trees.flatMap((tree) => enter(tree.own)),
  ];
}

function room(_directory: string): Draft[] {
  // TODO 1: Make the directory. Whatever a step of the host hand makes has an undo, in a field of that name: another kind, the same path.
  return [];
}

function ceiling(_limit: Limit, _directory: string): Draft[] {
  // TODO 2: Write the limit into its file, before there is a process.
  return [];
}

function enter(_directory: string): Draft[] {
  // TODO 3: Somebody writes a process number into cgroup.procs. The phase is `cgroup`; 0 means whoever writes.
  return [];
}

function cgroupNamespace(spec: Spec): Draft[] {
  const wanted = namespace(spec, 'cgroup');
  if (!wanted) return [];
  if (wanted.path !== undefined) return joinNamespace('cgroup', wanted.path);
  // TODO 4: A new cgroup namespace. Its top is the cgroup that its maker is in at that moment: is a flag of the clone in time?
  return [];
}

/** A v2 cgroup has those controllers that the one above hands out. Nothing to do here. */
function controllersFor(tree: Tree, ceilings: readonly Limit[], facts: Facts): Draft[] {
  return tree.v2 ? tree.parents.flatMap((above) => handOut(above, facts.cgroup, ceilings)) : [];
}

/** The directory that has the limit's file. */
function directoryFor({ version, controller }: Limit, trees: readonly Tree[]): string {
  const found = trees.find((tree) => (version === 2 ? tree.v2 : tree.controllers.includes(controller)));
  return found?.own ?? '';
}
