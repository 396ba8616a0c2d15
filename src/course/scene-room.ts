/**
 * Where scenes play: a scratch folder, a shell that stands for the host, in namespaces of its own, and containers
 * started from within these. What was played there can't reach the host's mounts, its names, its IPC objects or its
 * network, and all of it goes when the room is closed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { inUserNamespace } from '../facts/userns.ts';
import type { Spec } from '../oci/spec.ts';
import { packageRoot } from '../package-root.ts';
import { dataFolder } from '../runtime/folders.ts';
import { giveToNamespace } from '../runtime/owners.ts';
import { copyRootfs } from '../runtime/rootfs.ts';
import { spareMaps } from '../runtime/spare-ids.ts';
import { childrenOf, descendants, endAll, isLauncher, processesMarked } from './processes.ts';
import { markOf, ownFolder, removeFolder } from './rootfs.ts';
import { timeScale } from './scale.ts';
import { Shell, type ShellProcess } from './shell.ts';

export interface ContainerShell {
  shell: Shell;
  /** The main process, as the host counts. */
  pid: number;
  rootfs: string;
  id: string;
}

const tslab = join(packageRoot, 'bin/tslab');
/** What lessons break on the stand-in; unshare(1) and nsenter(1) call them the same. */
const standIn = ['--mount', '--uts', '--ipc', '--net'];
/**
 * Images, volumes and containers that scenes make lie in the room's folder, and go with it; the learner's own are not seen
 * there. Only the folder of rooms themselves is where it was. And a machine's lo is up; one without ip(8) plays lessons that
 * are not about it.
 */
const furnish =
  'mkdir -p "$1/course"; mount --bind "$2/course" "$1/course"; mount --rbind "$1" "$2"; ' +
  'ip link set lo up 2>/dev/null || :; exec sh';
const START_LIMIT = 10_000;
const GRACE = 3000;

export class SceneRoom {
  readonly #folder: string;
  readonly #scratch: string;
  /** In the environment of all that the host's shell starts, so that nothing of it can get lost. */
  readonly #mark: string;
  readonly #env: NodeJS.ProcessEnv;
  #host: ChildProcess | undefined;
  #rootfs = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#mark = markOf(folder);
    this.#scratch = join(folder, 'scratch');
    mkdirSync(this.#scratch);
    this.#env = {
      PATH: `${packageRoot}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: inUserNamespace() ? homedir() : '/root',
      LC_ALL: 'C.UTF-8',
      TERM: 'dumb',
      NO_COLOR: '1',
      SCRATCH: this.#scratch,
      ...(process.env.TSLAB_COURSE ? { TSLAB_COURSE: process.env.TSLAB_COURSE } : {}),
      ...Object.fromEntries([this.#mark.split('=')]),
    };
  }

  static open(): SceneRoom {
    if (process.getuid?.() !== 0) throw new Error('scenes make namespaces and mounts: that needs root');
    return new SceneRoom(ownFolder());
  }

  /** unshare(1) execs the shell, so its process is the shell, and the namespaces end with it. */
  hostShell(): Shell {
    const own = ['sh', '-ec', furnish, 'sh', join(this.#folder, 'data'), dataFolder];
    const child = this.#spawn(['unshare', ...standIn, '--propagation', 'private', ...own]);
    this.#host = child;
    return new Shell(shellProcess(child, () => endAll([child.pid ?? 0, ...processesMarked(this.#mark)])));
  }

  /** Started inside the host shell's namespaces, which have to be there. */
  async containerShell(flags: string): Promise<ContainerShell> {
    const rootfs = copyRootfs(join(this.#folder, `rootfs-${++this.#rootfs}`));
    const id = `scene-${randomBytes(4).toString('hex')}`;
    const words = split(flags, this.#env);
    // As `tslab run` does with a copy of its own, so that owners can be compared on both sides.
    if (words.join(' ').includes('--userns auto')) giveToNamespace(rootfs, remapped());
    const run = ['run', '-i', '--name', id, '--rootfs', rootfs, ...words, '--', 'sh'];
    const child = this.#spawn([
      'nsenter',
      '--target',
      String(this.#host?.pid),
      ...standIn,
      '--',
      tslab,
      ...run,
    ]);
    const shell = new Shell(shellProcess(child, () => endContainer(child)));

    // Its first answer proves that it runs; then the launcher's child is the container (see native/README.md).
    const first = await shell.run('true', START_LIMIT * timeScale());
    if (first.over) throw new Error(`tslab ${run.join(' ')}: ${first.output || `status ${first.status}`}`);
    const [launcher = 0] = childrenOf(child.pid ?? 0);
    const [pid] = childrenOf(launcher);
    if (!pid) throw new Error(`tslab ${run.join(' ')}: no container process below ${child.pid}`);
    return { shell, pid, rootfs, id };
  }

  /** Ends the containers that scenes left in the background, and lets their launchers take back what they made. */
  async endContainers(): Promise<void> {
    const launchers = () => processesMarked(this.#mark).filter(isLauncher);
    endAll(launchers().flatMap(childrenOf));
    const deadline = performance.now() + GRACE;
    while (launchers().length > 0 && performance.now() < deadline)
      await new Promise((done) => setTimeout(done, 20));
  }

  /** Kills what scenes left running, and removes the folder. */
  async close(): Promise<void> {
    endAll(processesMarked(this.#mark));
    removeFolder(this.#folder);
  }

  /** Standard error goes where output goes, so that both come in the order in which they were written. */
  #spawn(argv: string[]): ChildProcess {
    return spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', ...argv], {
      cwd: this.#scratch,
      env: this.#env,
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true, // Ctrl-C is for the player, which then ends the shells
    });
  }
}

/** As much of a config as says whose ids `--userns auto` takes. */
const remapped = (): Spec => ({
  ociVersion: '1.3.0',
  linux: { namespaces: [{ type: 'user' }], ...spareMaps() },
});

/** The launcher and tslab get time to take back what they made; only then are they killed, too. */
function endContainer(child: ChildProcess): void {
  const { pid = 0 } = child;
  endAll(descendants(pid).slice(1));
  const timer = setTimeout(() => endAll([...descendants(pid), pid]), GRACE);
  child.once('exit', () => clearTimeout(timer));
  if (child.exitCode !== null || child.signalCode !== null) clearTimeout(timer);
}

function shellProcess(child: ChildProcess, kill: () => void): ShellProcess {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('no pipes');
  const exit = new Promise<{ code: number } | { signal: string }>((done) => {
    child.once('exit', (code, signal) => done(signal ? { signal } : { code: code ?? 0 }));
    child.once('error', () => done({ code: 127 }));
  });
  return { stdin, stdout, exit, kill };
}

/** Words of a command line, with quotes and $SCRATCH. */
function split(flags: string, env: NodeJS.ProcessEnv): string[] {
  const words = flags.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replace(/['"]/g, '').replaceAll('$SCRATCH', env.SCRATCH ?? ''));
}
