/** Start-up figures, side by side in one run: hosts are noisy, so rows take turns and ratios count. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { defaultSpec } from '../oci/default.ts';
import { packageRoot } from '../package-root.ts';
import { start } from '../runtime/run.ts';
import { engines } from './engine.ts';
import { withoutUnifiedTree } from './hidden.ts';
import { layers } from './layers.ts';
import { command, timed } from './stopwatch.ts';

export interface Row {
  name: string;
  runtime: string;
  median_ms: number;
  min_ms: number;
  max_ms: number;
  runs: number;
  /** Against the first row of its group: the bare C limit, a bare Node, podman with runc, or tar. */
  ratio_to_limit: number;
  /** Of memory, where it was watched. */
  peak_mib?: number;
}

/** Resolves with the milliseconds that it took. */
type Once = () => Promise<number>;
export interface Contestant {
  runtime: string;
  once: Once;
  end?: () => void;
  /** The most memory that it had at once, in MiB, once it has been run. */
  peak?: () => number;
}

/** @throws Error if one of the contestants does not succeed: a failure is no figure. */
export async function bench(runs: number, asked: readonly string[]): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-bench-'));
  try {
    const rootfs = join(folder, 'bundle/rootfs');
    mkdirSync(rootfs, { recursive: true });
    execFileSync('cp', ['-a', `${join(packageRoot, 'dist/rootfs/default')}/.`, rootfs]);
    const groups: Readonly<Record<string, () => Promise<Row[]>>> = {
      container: () => race('container, all namespaces + cgroup', containers(folder, rootfs), runs),
      shell: () => race('shell, cold', shells(rootfs), runs),
      engine: () => race('engine', engines(folder, rootfs, ['crun', 'runc'].filter(installed)), runs),
      // Each takes seconds.
      layer: async () => race('image layer of 200 MB, gzip', await layers(folder), Math.min(runs, 5)),
    };
    const rows: Row[] = [];
    for (const name of asked) rows.push(...((await groups[name]?.()) ?? []));
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function containers(folder: string, rootfs: string): Contestant[] {
  const limit = join(folder, 'limit');
  execFileSync('cc', ['-O2', '-static', '-o', limit, join(packageRoot, 'native/bench/limit.c')]);
  const config = () => {
    const spec = defaultSpec({ args: ['/bin/true'], rootfs });
    return { ...spec, linux: { ...spec.linux, cgroupsPath: `/tslab-bench-${process.pid}` } };
  };
  // Distributions' crun and runc refuse a version that is newer than they are.
  writeFileSync(join(folder, 'bundle/config.json'), JSON.stringify({ ...config(), ociVersion: '1.0.2' }));
  let count = 0;
  const others = ['crun', 'runc'].filter(installed).map((name) => {
    const args = () => ['run', '--bundle', join(folder, 'bundle'), `tslab-bench-${process.pid}-${++count}`];
    const hidden = name === 'crun' ? withoutUnifiedTree() : undefined;
    return hidden
      ? {
          runtime: 'crun run (unified tree hidden)',
          once: () => hidden.command(name, args()),
          end: hidden.end,
        }
      : { runtime: `${name} run`, once: () => command(name, args()) };
  });
  const library = timed(async () => {
    const container = await start(config(), { stdio: ['ignore', 'ignore', 'ignore'] });
    const ended = await container.exit;
    if (!('code' in ended) || ended.code !== 0) throw new Error(`run(spec): ${JSON.stringify(ended)}`);
  });
  return [
    { runtime: 'C limit', once: () => command(limit, [rootfs, '/bin/true']) },
    { runtime: 'tslab library', once: library },
    ...others,
  ];
}

function shells(rootfs: string): Contestant[] {
  const tslab = join(packageRoot, 'bin/tslab');
  return [
    { runtime: 'node -e 0', once: () => command(process.execPath, ['-e', '0']) },
    { runtime: 'tslab --version', once: () => command(tslab, ['--version']) },
    { runtime: 'tslab run', once: () => command(tslab, ['run', '--rootfs', rootfs, '--', '/bin/true']) },
  ];
}

/** Each in turn, so that a slow moment of the machine hits all; one round is not counted. */
async function race(name: string, contestants: Contestant[], runs: number): Promise<Row[]> {
  using ends = new DisposableStack();
  for (const { end } of contestants) if (end) ends.defer(end);
  const entries: (Contestant & { times: number[] })[] = [];
  for (const contestant of contestants) {
    try {
      await contestant.once();
      entries.push({ ...contestant, times: [] });
    } catch (error) {
      console.error(`left out: ${contestant.runtime}: ${(error as Error).message}`);
    }
  }
  for (let i = 0; i < runs; i++) for (const entry of entries) entry.times.push(await entry.once());
  const limit = median(entries[0]?.times ?? []);
  return entries.map(({ runtime, times, peak }) => ({
    name,
    runtime,
    median_ms: round(median(times)),
    min_ms: round(Math.min(...times)),
    max_ms: round(Math.max(...times)),
    runs,
    ratio_to_limit: round(median(times) / limit),
    ...(peak && { peak_mib: round(peak()) }),
  }));
}

const installed = (name: string) =>
  `${process.env.PATH}${delimiter}/usr/sbin`.split(delimiter).some((dir) => existsSync(join(dir, name)));

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

const round = (value: number) => Math.round(value * 100) / 100;
