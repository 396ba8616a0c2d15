/** What an engine's user waits for: podman's shortest container, by each runtime. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import type { Contestant } from './bench.ts';
import { withoutUnifiedTree } from './hidden.ts';
import { command } from './stopwatch.ts';

/** runc first, which the others are compared with. None where there is no podman, or it would not be root's. */
export function engines(folder: string, rootfs: string, peers: readonly string[]): Contestant[] {
  if (process.geteuid?.() !== 0 || spawnSync('podman', ['--version']).status !== 0) return [];
  const store = join(folder, 'podman');
  mkdirSync(store);
  const conf = join(store, 'containers.conf');
  // Its own limits are above those of a root without CAP_SYS_RESOURCE.
  writeFileSync(
    conf,
    '[containers]\ndefault_ulimits = ["nofile=512:512", "nproc=512:512"]\n[engine]\nevents_logger = "none"\n',
  );
  const places = [
    '--root',
    join(store, 'root'),
    '--runroot',
    join(store, 'run'),
    '--tmpdir',
    join(store, 'tmp'),
  ];
  const podman = (runtime: string) => [
    `CONTAINERS_CONF=${conf}`,
    ...[
      'podman',
      ...places,
      '--storage-driver',
      'overlay',
      '--cgroup-manager',
      'cgroupfs',
      '--runtime',
      runtime,
    ],
  ];
  const ours = join(packageRoot, 'bin/tslab-oci');
  const tar = execFileSync('tar', ['-C', rootfs, '-c', '.'], { maxBuffer: 1 << 28 });
  execFileSync('env', [...podman(ours), 'import', '-', 'box'], {
    input: tar,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // The host's network: a new one would stay mounted in /run/netns.
  const run = (runtime: string) => [...podman(runtime), 'run', '--rm', '--network', 'host', 'box', 'true'];
  const hadParents = parents();
  const removeParents = () => removeEmpty(parents().filter((path) => !hadParents.includes(path)));
  return [
    ...peers
      .toSorted()
      .reverse()
      .map((name): Contestant => {
        const path = execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${name}`], {
          encoding: 'utf8',
        }).trim();
        const hidden = name === 'crun' ? withoutUnifiedTree() : undefined;
        const once = () => (hidden ?? { command }).command('env', run(path));
        return {
          runtime: `podman run, ${name}${hidden ? ' (unified tree hidden)' : ''}`,
          once,
          ...(hidden ? { end: hidden.end } : {}),
        };
      }),
    { runtime: 'podman run, tslab-oci', once: () => command('env', run(ours)), end: removeParents },
  ];
}

/** podman's own cgroup, which it leaves, in every tree. */
const parents = (): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .flatMap((line) => {
      const top = line.split(' ')[4] ?? '/';
      return readdirSync(top)
        .filter((name) => name === 'libpod_parent')
        .map((name) => join(top, name));
    });

function removeEmpty(directories: readonly string[]): void {
  for (const directory of directories) {
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    removeEmpty(below.map(({ name }) => join(directory, name)));
    try {
      rmdirSync(directory);
    } catch {
      // somebody is in it
    }
  }
}
