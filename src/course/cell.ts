/**
 * Where a learner's file is evaluated: a container of the runtime's own, with Node and its libraries in it and not one
 * file more. Node's permission model is the inner wall; what finds a hole in it (SQLite's ATTACH is one) stands here.
 */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultSeccomp } from '../oci/default-seccomp.ts';
import type { Spec } from '../oci/spec.ts';
import { withOrigin } from '../runtime/plan.ts';
import type { Container } from '../runtime/run.ts';
import { boxIds, boxUid, isolated, startWall } from './box.ts';
import { ownFolder, removeFolder } from './rootfs.ts';
import { timeScale } from './scale.ts';

/** Where there is a nobody; else it is root of the cell, who is the learner outside. */
const NOBODY = boxIds.some(({ containerID, size }) => containerID + size > 65534) ? 65534 : 0;

export interface Cell extends Container {
  /** After its end: takes the folder away. */
  remove(): void;
}

/** Runs our own Node with these arguments. */
export async function startCell(args: readonly string[]): Promise<Cell> {
  const own = ownFolder();
  const root = join(own, 'cell');
  mkdirSync(join(root, 'dev'), { recursive: true }); // who is root in the cell can make nothing here
  chownSync(own, 0, boxUid);
  chmodSync(own, 0o710);
  const remove = () => removeFolder(own);
  try {
    return { ...(await startWall(cellSpec(root, args), shown(root))), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function cellSpec(path: string, args: readonly string[]): Spec {
  const none = { bounding: [], effective: [], permitted: [] };
  return {
    ociVersion: '1.3.0',
    root: { path },
    process: {
      args: ['/node', ...args],
      cwd: '/',
      env: [],
      user: { uid: NOBODY, gid: NOBODY, additionalGids: [] },
      capabilities: none,
      noNewPrivileges: true,
      rlimits: limits(),
    },
    mounts: [{ destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755', 'size=64k'] }],
    linux: { ...isolated, uidMappings: boxIds, gidMappings: boxIds, seccomp: defaultSeccomp([]) },
  };
}

/** RLIMIT_DATA counts what is written to, unlike RLIMIT_AS, which V8's reservations exceed at once (setrlimit(2)). */
const limits = () =>
  Object.entries({
    RLIMIT_CPU: Math.ceil(10 * timeScale()),
    RLIMIT_DATA: 1 << 30,
    RLIMIT_FSIZE: 0,
    RLIMIT_NOFILE: 64,
    RLIMIT_NPROC: 64,
    RLIMIT_CORE: 0,
  }).map(([type, most]) => ({ type, soft: most, hard: most }));

/** By root's hand: tslab and its Node often lie in a home that nobody else can reach. */
function shown(root: string) {
  const common = { at: 'host', phase: 'prepare' } as const;
  const bind = (source: string, target: string) => {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, '');
    return { ...common, kind: 'mount', source, target, flags: ['MS_BIND'] } as const;
  };
  return [
    { ...common, kind: 'unshare', flags: ['CLONE_NEWNS'] } as const,
    { ...common, kind: 'mount', target: '/', flags: ['MS_REC', 'MS_PRIVATE'] } as const,
    bind(process.execPath, join(root, 'node')),
    ...libraries().map((file) => bind(file, join(root, file))),
  ].map((draft) => withOrigin(draft, 'cell'));
}

/** Those that this very Node has loaded, its loader among them, under the names by which it asked for them. */
function libraries(): string[] {
  // Else it would ask the name service about each address; Node's types don't know it yet.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  report.excludeNetwork = true;
  const { sharedObjects = [] } = report.getReport() as { sharedObjects?: string[] };
  return [...new Set(sharedObjects)].filter((file) => /^\/.*\.so(\.|$)/.test(file));
}
