/**
 * Validation of plans that somebody else made: a learner's stage, a file. Shapes, names and bounds for
 * everyone; for learners also a policy, since their plan is performed with root's powers.
 */
import { tolerable } from './errno.ts';
import { PlanError } from './error.ts';
import { capabilities, flagSets, nameSets } from './flags.ts';
import { type FieldType, type Kind, type KindSpec, kinds } from './kinds.ts';
import { phases } from './phases.ts';

/** What a learner's stage may do beyond being well-formed. Built for one attempt. */
export interface Policy {
  /** Kinds that the host hand may perform. Everything else runs in the child, in the box. */
  readonly hostKinds: readonly Kind[];
  /** Absolute host paths that may be bound into the container or opened: the rootfs and the config's mount sources. */
  readonly hostPaths: readonly string[];
  /** What steps may make, write and remove by path, and undo it: its own cgroups, with all below. */
  readonly trees?: readonly string[];
  /** What the config runs. A stage passes these on; it doesn't choose another program, or LD_PRELOAD for it. */
  readonly argv: readonly string[];
  readonly envp: readonly string[];
}

/** File systems that show only what their own namespaces hold, and take no host path in their options. */
const ownFileSystems = ['proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2'];
/** Kinds that change files. They have to name the directory that they can't leave. */
const confinedKinds: readonly Kind[] = [
  'mkdir',
  'write',
  'symlink',
  'mknod',
  'rmdir',
  'unlink',
  'rmtree',
  'mountpoint',
  'mask',
  'chown',
];
/** Programs and sockets of the host answer to root's rights, whatever they are told; a lock can keep others waiting. */
const neverALearners: readonly Kind[] = ['spawn', 'share', 'listen', 'ready', 'tell'];
/** Kinds that put a process before all others of the host, such as SCHED_FIFO. */
const greedyKinds: readonly Kind[] = ['schedattr', 'ioprio'];
/** By which a process speaks of itself: wherever it is, these are its own (time_namespaces(7)). */
const aboutItself = ['/proc/self/timens_offsets', '/proc/self/ns/time_for_children'];
/** Parameters of an overlay that name folders. */
const folderKeys = /^(lowerdir|upperdir|workdir|datadir)/;
const MAX_STEPS = 1024;

type Loose = Record<string, unknown>;

/**
 * Checks the drafts that a stage returned.
 *
 * @throws PlanError naming the step, the field, what was found and what is allowed.
 */
export function validateDrafts(drafts: unknown, policy?: Policy): void {
  if (!Array.isArray(drafts))
    throw new PlanError(`the stage returned ${show(drafts)}; it has to return an array of steps`);
  if (drafts.length > MAX_STEPS)
    throw new PlanError(`the stage returned ${drafts.length} steps; ${MAX_STEPS} at most`);
  for (const [i, draft] of drafts.entries()) {
    const where = `step ${i + 1} of ${drafts.length}`;
    checkShape(draft, where);
    if (policy) checkPolicy(draft as Loose, where, policy);
  }
}

function checkShape(draft: unknown, where: string): void {
  if (typeof draft !== 'object' || draft === null || Array.isArray(draft))
    throw new PlanError(`${where} is ${show(draft)}; a step is an object`);
  const step = draft as Loose;
  oneOf(step.kind, Object.keys(kinds), `${where}: kind`);
  const kind = step.kind as Kind;
  const spec: KindSpec = kinds[kind];
  const name = `${where} (${kind})`;
  oneOf(step.at, spec.hands === 'both' ? ['host', 'child'] : [spec.hands], `${name}: at`);
  oneOf(step.phase, phases, `${name}: phase`);
  for (const [field, type] of Object.entries(spec.fields)) checkField(step[field], type, `${name}: ${field}`);
  const known = [...Object.keys(spec.fields), 'kind', 'at', 'phase', 'field', 'from', 'tolerate', 'undo'];
  for (const field of Object.keys(step)) oneOf(field, known, `${name}: field name`);
  checkTolerate(step.tolerate, name);
  if (step.undo !== undefined) checkUndo(step, name);
}

function checkTolerate(value: unknown, name: string): void {
  if (value === undefined) return;
  if (!Array.isArray(value) || value.length > 2)
    throw new PlanError(`${name}: tolerate takes up to two errno names`);
  for (const errno of value) oneOf(errno, Object.keys(tolerable), `${name}: tolerate`);
}

function checkUndo(step: Loose, name: string): void {
  if (step.at !== 'host')
    throw new PlanError(`${name}: only host steps have an undo: what the child makes, ends with it`);
  const undo = step.undo as Loose;
  checkShape({ ...undo, at: 'host', phase: step.phase }, `${name}: undo`);
  if (undo.dir !== undefined)
    throw new PlanError(`${name}: undo: uses an absolute path, as no descriptor survives a crash`);
}

/** What a learner's step may touch: see Policy. */
function checkPolicy(step: Loose, where: string, policy: Policy): void {
  const name = `${where} (${step.kind})`;
  const kind = step.kind as Kind;
  if (step.at === 'host' && !policy.hostKinds.includes(kind))
    throw new PlanError(`${name}: at: this stage has no business on the host hand; use at: 'child'`);
  if (kind === 'await')
    throw new PlanError(`${name}: a learner's container has its launcher as long as it lives`);
  if (neverALearners.includes(kind) || (kind === 'netlink' && step.alone !== undefined))
    throw new PlanError(`${name}: a learner's step does not run or lock what is the host's`);
  if (kind === 'netlink' && step.protocol !== 0)
    throw new PlanError(`${name}: protocol: a learner's step speaks rtnetlink, 0, and nothing else`);
  if (step.undo !== undefined) checkUndoPath(step.undo as Loose, name, policy);
  const own = step.at === 'child' && step.dir === undefined && aboutItself.includes(String(step.path));
  if (own && (kind === 'write' || kind === 'open')) return;
  if (confinedKinds.includes(kind) && step.dir === undefined && !inTrees(step.path, policy))
    throw new PlanError(
      `${name}: dir: name the directory that the path stays in, such as dir: 'root'${orTrees(policy)}`,
    );
  // Its right was the host hand's: into a cgroup's `tasks` it could write the number of any process.
  if (kind === 'write' && step.path === '' && step.data !== '0')
    throw new PlanError(`${name}: data: to a descriptor itself a learner's step writes 0 and nothing else`);
  if (greedyKinds.includes(kind))
    throw new PlanError(`${name}: it would take CPU time or disk time from the host; a learner's step can't`);
  if ((kind === 'open' || kind === 'open_tree') && step.dir === undefined)
    allowedHostPath(step.path as string, name, policy);
  if (kind === 'mount') checkMountSource(step, name, policy);
  if (kind === 'fsopen') oneOf(step.fstype, [...ownFileSystems, 'overlay'], `${name}: fstype`);
  // A folder that is handed over has been opened by a step that was looked at; one that is named has not.
  if (kind === 'fsconfig' && step.command !== 'FSCONFIG_SET_FD' && folderKeys.test(String(step.key)))
    throw new PlanError(`${name}: value: open the folder and hand its descriptor over, with FSCONFIG_SET_FD`);
  if (kind === 'exec') checkProgram(step, name, policy);
}

/** Played by the host hand, by path. */
function checkUndoPath(undo: Loose, name: string, policy: Policy): void {
  if ((undo.kind === 'rmdir' || undo.kind === 'write') && inTrees(undo.path, policy)) return;
  const what = policy.trees?.length ? 'for directories and files of cgroups only' : 'none';
  throw new PlanError(`${name}: undo: a learner's step has ${what}`);
}

const inTrees = (path: unknown, { trees = [] }: Policy): boolean =>
  typeof path === 'string' &&
  trees.some((top) => path === top || path.startsWith(`${top}/`)) &&
  !path.split('/').includes('..');

const orTrees = ({ trees = [] }: Policy): string =>
  trees.length === 0 ? '' : `; a path alone has to be in its cgroup, ${trees.join(', ')}`;

function checkProgram(step: Loose, name: string, policy: Policy): void {
  const argv = step.argv as string[];
  if (argv.length !== policy.argv.length || argv.some((word, i) => word !== policy.argv[i]))
    throw new PlanError(`${name}: argv is ${show(argv)}; the config says ${show(policy.argv)}`);
  const stranger = (step.envp as string[]).find((entry) => !policy.envp.includes(entry));
  if (stranger !== undefined) throw new PlanError(`${name}: envp: ${show(stranger)} is not in the config`);
}

function checkMountSource(step: Loose, name: string, policy: Policy): void {
  const flags = (step.flags ?? []) as string[];
  // Changing propagation or remounting uses no source (mount(2)); binding uses a path; else it is a new file system.
  const changes = ['MS_PRIVATE', 'MS_SLAVE', 'MS_SHARED', 'MS_UNBINDABLE', 'MS_REMOUNT'];
  // Without MS_BIND a remount changes the superblock, and so everybody's view of that file system.
  if (flags.includes('MS_REMOUNT') && !flags.includes('MS_BIND'))
    throw new PlanError(
      `${name}: flags: MS_REMOUNT needs MS_BIND beside it, or it would change the host's file system`,
    );
  if (flags.some((flag) => changes.includes(flag))) return;
  if (flags.includes('MS_BIND') || flags.includes('MS_MOVE'))
    allowedHostPath(String(step.source), name, policy);
  else if (step.fstype === 'overlay') checkFolders(String(step.data ?? ''), name, policy);
  else oneOf(step.fstype, ownFileSystems, `${name}: fstype`);
  // v1's options can name a program that the kernel runs (cgroups(7), "release_agent").
  if (String(step.fstype).startsWith('cgroup') && !/^[\w,]*$/.test(String(step.data ?? '')))
    throw new PlanError(`${name}: data is ${show(step.data)}; it takes names of controllers`);
}

/** The options of an overlay name folders: by a path, or by one below where the child stands, which steps have made. */
function checkFolders(data: string, name: string, policy: Policy): void {
  for (const [key = '', value = ''] of data.split(',').map((option) => option.split('='))) {
    const folders = folderKeys.test(key) ? value.split(':') : [];
    for (const folder of folders)
      if (folder.includes('/')) allowedHostPath(folder, `${name}: data: ${key}`, policy);
  }
}

function allowedHostPath(path: string, name: string, policy: Policy): void {
  const inside = policy.hostPaths.some((top) => path === top || path.startsWith(`${top}/`));
  if (!inside || path.split('/').includes('..'))
    throw new PlanError(
      `${name}: ${show(path)} is not of this container; it may use ${policy.hostPaths.join(', ')}`,
    );
}

function checkField(value: unknown, type: FieldType, where: string): void {
  if (value === undefined && type.endsWith('?')) return;
  const bare = type.replace('?', '');
  const [what, set] = bare.split(':');
  const checker = checkers[bare];
  if (what === 'flags') namesOf(value, Object.keys(flagSets[set as keyof typeof flagSets]), where);
  else if (what === 'name') oneOf(value, Object.keys(nameSets[set as keyof typeof nameSets]), where);
  else if (what === 'caps') namesOf(value, capabilities, where);
  else if (!checker?.test(value))
    throw new PlanError(
      `${where} ${value === undefined ? 'is missing' : `is ${show(value)}`}; it takes ${checker?.takes}`,
    );
}

const isString = (value: unknown) =>
  typeof value === 'string' && !value.includes('\0') && value.length <= 65536;
const isInteger = (max: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max;
const isU32 = isInteger(0xffff_ffff);
const isU64 = isInteger(Number.MAX_SAFE_INTEGER);

const checkers: Record<string, { test: (value: unknown) => boolean; takes: string }> = {
  str: { test: isString, takes: 'a string' },
  text: { test: (v) => typeof v === 'string' && v.length <= 1 << 20, takes: 'a string' },
  bytes: { test: (v) => typeof v === 'string' && v.length <= 1 << 20, takes: 'bytes in base64' },
  strs: {
    test: (v) => Array.isArray(v) && v.length <= 65536 && v.every(isString),
    takes: 'a list of strings',
  },
  u32: { test: isU32, takes: 'an integer from 0 to 2^32-1' },
  i32: {
    test: (v) => Number.isInteger(v) && Math.abs(Number(v)) <= 0x7fff_ffff,
    takes: 'an integer of 32 bits',
  },
  u64: { test: isU64, takes: 'an integer from 0' },
  limit: { test: (v) => v === 'unlimited' || isU64(v), takes: "an integer from 0, or 'unlimited'" },
  u32s: { test: (v) => Array.isArray(v) && v.length <= 65536 && v.every(isU32), takes: 'a list of integers' },
  bool: { test: (v) => typeof v === 'boolean', takes: 'true or false' },
  fd: { test: isString, takes: 'the name of a descriptor that an earlier step opened' },
  as: { test: isString, takes: 'a name for the descriptor' },
};

function namesOf(value: unknown, allowed: readonly string[], where: string): void {
  if (!Array.isArray(value)) throw new PlanError(`${where} is ${show(value)}; it takes a list of names`);
  for (const name of value) oneOf(name, allowed, where);
}

function oneOf(value: unknown, allowed: readonly string[], where: string): void {
  if (typeof value === 'string' && allowed.includes(value)) return;
  const near = typeof value === 'string' ? nearest(value, allowed) : undefined;
  const hint = near ? `did you mean ${near}?` : `it takes one of: ${allowed.join(', ')}`;
  throw new PlanError(`${where} ${value === undefined ? 'is missing' : `is ${show(value)}`}; ${hint}`);
}

/** The allowed name that is at most two edits or a change of case away. */
function nearest(value: string, allowed: readonly string[]): string | undefined {
  const distance = (name: string) => editDistance(value.toLowerCase(), name.toLowerCase());
  // By length first: a stranger's word may have millions of letters, and the time goes with them.
  const alike = allowed.filter((name) => Math.abs(name.length - value.length) <= 2);
  return alike.filter((name) => distance(name) <= 2).sort((a, b) => distance(a) - distance(b))[0];
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, x] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, y] of [...b].entries())
      next.push(Math.min((row[j] ?? 0) + (x === y ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row[b.length] ?? 0;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
