/** The containers of `tslab run`: a folder each, for what outlives its processes: root file system, output, exit status. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTimeOf } from '../evidence/process.ts';
import type { Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { type Exit, exitOf } from './exit.ts';
import { dataFolder } from './folders.ts';
import { removeOthersFiles } from './removal.ts';
import { removeTree } from './remove-tree.ts';
import { runningContainers, type State, stateOf } from './state.ts';

const parent = join(dataFolder, 'containers');

/** What a container's folder holds. */
export interface Folder {
  readonly path: string;
  /** A private copy; for a container of an image empty, and only where the merged layers appear in its own tree. */
  readonly rootfs: string;
  /** Of an image's container: what it changes, the kernel's own folder beside it, and the layer of its own names. */
  readonly upper: string;
  readonly work: string;
  readonly init: string;
  /** Volumes without a name, which go with it. */
  readonly volumes: string;
  /** Standard output and error, of a detached one. */
  readonly log: string;
  /** wait(2)'s status, a number, once it has ended. */
  readonly status: string;
}

export const folderOf = (id: string): Folder => {
  const path = join(parent, id);
  return {
    path,
    rootfs: join(path, 'rootfs'),
    upper: join(path, 'upper'),
    work: join(path, 'work'),
    init: join(path, 'init'),
    volumes: join(path, 'volumes'),
    log: join(path, 'log'),
    status: join(path, 'status'),
  };
};

interface Record {
  id: string;
  created: string;
  spec: Spec;
  /** Who makes it. A folder that nobody makes any more, and whose container never ran, is a leftover. */
  asker: { pid: number; startTime: number };
}

export interface Entry {
  readonly id: string;
  readonly created: string;
  readonly spec: Spec;
  readonly state: 'created' | 'running' | 'exited';
  readonly pid?: number;
  /** Unknown if its launcher was killed. */
  readonly exit?: Exit;
}

/** @throws Error if the name is taken. */
export function makeFolder(id: string): Folder {
  const folder = folderOf(id);
  for (;;) {
    mkdirSync(parent, { recursive: true, mode: 0o711 });
    try {
      mkdirSync(folder.path, { mode: 0o700 }); // its root may leave set-user-ID programs there, for others to run
      return folder;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST')
        throw new Error(`--name ${id}: a container has this name already; tslab rm ${id} removes it`);
      if (code !== 'ENOENT') throw error; // the last container went this moment, and the parent with it
    }
  }
}

export function describe(id: string, spec: Spec): void {
  const asker = { pid: process.pid, startTime: startTimeOf('self') ?? 0 };
  const record: Record = { id, created: new Date().toISOString(), spec, asker };
  writeFileSync(join(folderOf(id).path, 'container.json'), JSON.stringify(record), { mode: 0o600 });
}

/** The steps that make a container's end the end of its folder: nothing is done now, but the ledger knows. */
export function owned({ path }: Folder): Step[] {
  const look = {
    at: 'host',
    phase: 'prepare',
    kind: 'open',
    flags: ['O_PATH', 'O_DIRECTORY'],
    from: { lesson: 'runtime' },
  } as const;
  return [
    { ...look, path: parent, undo: { kind: 'rmdir', path: parent, tolerate: ['ENOTEMPTY'] } },
    { ...look, path, undo: { kind: 'rmtree', path } },
  ];
}

/** All that run, and all that ended and were not removed. Oldest first. */
export function containers(): Entry[] {
  const running = runningContainers().map(runs);
  const others = existsSync(parent) ? readdirSync(parent) : [];
  const known = new Set(running.map(({ id }) => id));
  return [...running, ...others.filter((id) => !known.has(id)).flatMap((id) => ended(id) ?? [])].sort(
    (a, b) => a.created.localeCompare(b.created),
  );
}

/** @throws Error if none has this id, or ids that begin so are several. */
export function findContainer(name: string): Entry {
  const found = containers().filter(({ id }) => id.startsWith(name));
  const exact = found.find(({ id }) => id === name) ?? (found.length === 1 ? found[0] : undefined);
  if (exact) return exact;
  const why = found.length === 0 ? 'there is none of this name' : 'more than one id begins so';
  throw new Error(`container ${name}: ${why}; tslab ps -a lists them`);
}

/** @throws Error if it does not run. */
export function findRunning(name: string): State {
  const { id } = findContainer(name);
  const state = stateOf(id);
  if (!state) throw new Error(`container ${id}: it has ended; tslab ps lists those that run`);
  return state;
}

export function removeContainer(id: string): void {
  removeOthersFiles(folderOf(id).path);
  removeTree(folderOf(id).path);
  try {
    rmdirSync(parent);
  } catch {
    // others have theirs there
  }
}

/** Folders of a tslab that was killed before its container was born. */
export function removeLeftovers(): string[] {
  const left = containers().filter(({ id, state }) => state === 'created' && !beingMade(id));
  for (const { id } of left) removeContainer(id);
  return left.map(({ id }) => folderOf(id).path);
}

const runs = ({ id, created, spec, pid }: State): Entry => ({ id, created, spec, state: 'running', pid });

function ended(id: string): Entry | undefined {
  const record = recordOf(id);
  const status = read(folderOf(id).status);
  const common = { id, created: record?.created ?? '', spec: record?.spec ?? { ociVersion: '' } };
  if (status !== undefined) return { ...common, state: 'exited', exit: exitOf(Number(status)) };
  return { ...common, state: existsSync(folderOf(id).log) && !beingMade(id) ? 'exited' : 'created' };
}

function beingMade(id: string): boolean {
  const asker = recordOf(id)?.asker;
  return asker !== undefined && startTimeOf(asker.pid) === asker.startTime;
}

function recordOf(id: string): Record | undefined {
  const text = read(join(folderOf(id).path, 'container.json'));
  return text === undefined ? undefined : JSON.parse(text);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
