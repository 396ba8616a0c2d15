/** The same bundle under each runtime: what the container's first process sees, and what the host sees of it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { start } from '../../../src/index.ts';
import type { Spec } from '../../../src/oci/spec.ts';
import { makeBundle, podmanConfig } from './config.ts';
import { cgroup, type Seen, seen } from './seen.ts';

export type Peer = 'crun' | 'runc';
export const ID = `tslab-peers-${process.pid}`;
const unified = existsSync('/sys/fs/cgroup/cgroup.controllers');
/** What sort of host this is, as far as runtimes differ by it. */
export const hosts = {
  v1: !unified,
  v2: unified,
  /** A v2 tree beside v1 controllers. */
  hybrid: existsSync('/sys/fs/cgroup/unified'),
  noKcore: !existsSync('/proc/kcore'),
};

export const installed = (name: string) => spawnSync('which', [name]).status === 0;

/** @param change what is taken out of the config for tslab. */
export async function runTslab(change: (spec: Spec) => void): Promise<Seen> {
  using bundle = new Bundle();
  change(bundle.spec);
  const container = await start(bundle.spec, { id: ID, stdio: ['pipe', 'pipe', 'inherit'] });
  return await look(container, async () => container.pid, container.exit);
}

export async function runPeer(peer: Peer): Promise<Seen> {
  using bundle = new Bundle();
  const pidFile = join(bundle.folder, 'pid');
  const options = ['--root', join(bundle.folder, 'state')];
  const words = [peer, ...options, 'run', '--bundle', bundle.folder, '--pid-file', pidFile, ID];
  // crun takes a host with both versions for broken; where it sees no v2 tree it is content.
  const hidden = peer === 'crun' && hosts.hybrid;
  const script = hidden ? 'umount /sys/fs/cgroup/unified && exec "$@"' : 'exec "$@"';
  const child = spawn(
    hidden ? 'unshare' : 'sh',
    [...(hidden ? ['-m', 'sh'] : []), '-c', script, 'sh', ...words],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const exit = new Promise<{ code: number }>((done) =>
    child.once('close', (code) => done({ code: code ?? 255 })),
  );
  return await look(child, () => numberIn(pidFile), exit);
}

/** Reads what the probe says, looks at it from outside while it waits, and lets it end. */
async function look(
  { stdin, stdout }: Pick<ChildProcess, 'stdin' | 'stdout'>,
  pid: () => Promise<number>,
  exit: Promise<unknown>,
): Promise<Seen> {
  const all = text(stdout as Readable);
  let said = '';
  await new Promise<void>((done) => {
    stdout?.on('data', (chunk) => {
      said += chunk;
      if (said.includes('\nend\n')) done();
    });
    stdout?.once('end', done);
  });
  let outside: Seen = {};
  try {
    if (said.includes('\nend\n')) outside = outsideOf(await pid());
  } finally {
    stdin?.end();
  }
  const ended = (await exit) as { code?: number };
  if (ended.code !== 0) throw new Error(`the container did not run: ${JSON.stringify(ended)} ${said}`);
  return { ...seen(await all), ...outside };
}

/** The program may run before its number is written down. */
async function numberIn(file: string): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const number = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    if (number > 0) return number;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`${file}: no process number in it after two seconds`);
}

/** From outside: its namespaces, and the cgroup that counts its processes with the limit there. */
function outsideOf(pid: number): Seen {
  const facts: Seen = {};
  for (const type of ['mnt', 'pid', 'uts', 'ipc', 'net', 'user', 'cgroup', 'time']) {
    const [inside, ours] = [`/proc/${pid}/ns/${type}`, `/proc/self/ns/${type}`];
    if (existsSync(ours))
      facts[`namespace ${type}`] = readlinkSync(inside) === readlinkSync(ours) ? 'host' : 'own';
  }
  for (const line of readFileSync(`/proc/${pid}/cgroup`, 'utf8').trimEnd().split('\n')) {
    const [controllers, path] = cgroup(facts, 'of', line);
    const top = controllers === 'pids' ? '/sys/fs/cgroup/pids' : hosts.v2 ? '/sys/fs/cgroup' : undefined;
    const limit = join(top ?? '', path, 'pids.max');
    if (top) facts['pids.max'] = existsSync(limit) ? readFileSync(limit, 'utf8').trim() : 'no such file';
  }
  return facts;
}

class Bundle {
  readonly folder = mkdtempSync(join(tmpdir(), 'tslab-peers-'));
  readonly spec = podmanConfig(this.folder, `/${ID}`);
  constructor() {
    makeBundle(this.folder, this.spec);
  }
  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
