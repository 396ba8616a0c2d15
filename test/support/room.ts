/** A place for containers of one test: a copy of the root file system, what to bind, and what the kernel shows of them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type MountEntry, mountinfo } from '../../src/evidence/mountinfo.ts';
import { type Container, type Draft, defaultSpec, type Mount, type Spec, start } from '../../src/index.ts';
import { packageRoot } from '../../src/package-root.ts';
import { withOrigin } from '../../src/runtime/plan.ts';

/** A host of our own for the launcher: its mounts are shared among themselves, as systemd makes them, and with nobody else. */
export const sharedHost: readonly Draft[] = [
  { at: 'host', phase: 'prepare', kind: 'unshare', flags: ['CLONE_NEWNS'] },
  { at: 'host', phase: 'prepare', kind: 'mount', target: '/', flags: ['MS_REC', 'MS_PRIVATE'] },
  { at: 'host', phase: 'prepare', kind: 'mount', target: '/', flags: ['MS_REC', 'MS_SHARED'] },
];

/** A host step that mounts a tmpfs on a folder, seen by the launcher alone. */
export const hostTmpfs = (target: string, ...flags: ('MS_NOSUID' | 'MS_NODEV' | 'MS_RDONLY')[]): Draft => ({
  at: 'host',
  phase: 'prepare',
  kind: 'mount',
  source: 'tmpfs',
  target,
  fstype: 'tmpfs',
  flags,
});

export class Room {
  readonly folder = mkdtempSync(join(tmpdir(), 'tslab-room-'));
  readonly rootfs = this.make('rootfs');
  #containers: Container[] = [];

  constructor() {
    execFileSync('cp', ['-a', `${join(packageRoot, 'dist/rootfs/default')}/.`, this.rootfs]);
  }

  /** A folder beside the rootfs. */
  make(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A container that waits to be looked at; its output is that of the script, if one is given. */
  async begin(
    change: (spec: Spec) => void,
    before: readonly Draft[] = [],
    script = 'exec sleep 100',
  ): Promise<Container> {
    const spec = defaultSpec({ args: ['sh', '-c', script], rootfs: this.rootfs });
    change(spec);
    const steps = before.map((draft) => withOrigin(draft, 'test'));
    const container = await start(spec, { stdio: ['ignore', 'pipe', 'pipe'], before: steps });
    this.#containers.push(container);
    return container;
  }

  with(mounts: readonly Mount[], before: readonly Draft[] = []): Promise<Container> {
    return this.begin((spec) => spec.mounts?.push(...mounts), before);
  }

  /** What a script prints in a container, both streams. */
  async say(
    script: string,
    change: (spec: Spec) => void = () => {},
    before: readonly Draft[] = [],
  ): Promise<string> {
    const { stdout, stderr, exit } = await this.begin(change, before, script);
    const [out, err] = await Promise.all([text(stdout as Readable), text(stderr as Readable)]);
    await exit;
    return out + err;
  }

  /** The error with which a start ends. */
  refusal(change: (spec: Spec) => void, before: readonly Draft[] = []): Promise<Error> {
    return this.begin(change, before).then(
      () => new Error('it started'),
      (error) => error,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#containers.map((container) => container.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The topmost mount at a path, as the container names it; what /proc/PID/mountinfo says from outside. */
export function mountAt({ pid }: { pid: number }, path: string): MountEntry | undefined {
  return mountinfo(pid).findLast(({ at }) => at === path);
}

/** A path of the container's tree, looked at from outside. */
export const inside = ({ pid }: { pid: number }, path: string) => statSync(`/proc/${pid}/root${path}`);
