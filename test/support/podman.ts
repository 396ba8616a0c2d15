/**
 * podman in a small host of its own: mounts, links and firewall rules are in namespaces that go with their last process,
 * stores and states in a folder that is removed. The machine's own podman is neither asked nor changed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.ts';
import { removeCgroups } from './cgroups.ts';
import { type OrdinaryUser, UID } from './ordinary-user.ts';

export interface Said {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Options {
  /** Default: tslab-oci. */
  runtime?: string;
  stdin?: string | Buffer;
  /** Bytes for the keyboard of a terminal of 33 × 77 that the command is given, each with how many ms to wait before. */
  keys?: readonly (readonly [number, string])[];
}

export const TSLAB = join(packageRoot, 'bin/tslab-oci');
/** The distribution's, to compare with: a failure of the host's is then no failure of ours. */
export const RUNC = spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin command -v runc'], {
  encoding: 'utf8',
}).stdout.trim();

const has = (name: string) => spawnSync('which', [name]).status === 0;
/** Why there is no podman to test with, if so. */
export const lack = process.getuid?.() !== 0 ? 'needs root' : has('podman') ? undefined : 'needs podman';

export class Podman {
  readonly folder = mkdtempSync(join(tmpdir(), 'tslab-podman-'));
  readonly #host: ChildProcess;
  readonly #ready: Promise<unknown>;
  readonly #environment: string[];
  readonly #user: OrdinaryUser | undefined;

  /** @param user whose podman it is; default: root's. */
  constructor(user?: OrdinaryUser) {
    this.#user = user;
    spawnSync('chmod', ['755', this.folder]);
    // The folder stays in sight, should it be in one of those places.
    const seen = `{ [ -d ${this.folder} ] || { mkdir -p ${this.folder} && mount --no-canonicalize --bind /proc/self/fd/3 ${this.folder}; }; }`;
    const script = `exec 3<${this.folder} && ip link set lo up && ${ownPlaces} && ${seen} && echo ready && exec sleep 1000`;
    this.#host = spawn('unshare', ['--mount', '--net', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(this.#host, 'exit').then(([code]) => {
      throw new Error(`unshare: it ended (${code}) before podman could have a host of its own`);
    });
    this.#ready = Promise.race([
      once(this.#host.stdout as NonNullable<ChildProcess['stdout']>, 'data'),
      ended,
    ]);
    ended.catch(() => {}); // at the end it is killed
    this.#environment = [
      `CONTAINERS_CONF=${this.#write('containers.conf', containersConf(this.#own('state')))}`,
      `CONTAINERS_STORAGE_CONF=${this.#write('storage.conf', storageConf(this.#own('store'), this.#own('run'), user === undefined))}`,
      `XDG_RUNTIME_DIR=${this.#own('xdg')}`,
      `TMPDIR=${this.#own('tmp')}`,
    ];
  }

  /** The image `box`: the root file system of all tests. */
  async import(): Promise<this> {
    const tar = spawnSync('tar', ['-C', join(packageRoot, 'dist/rootfs/default'), '-c', '.'], {
      maxBuffer: 1 << 28,
    });
    const said = await this.do(['import', '-', 'box'], { stdin: tar.stdout });
    if (said.status !== 0) throw new Error(`podman import: ${said.stderr}`);
    return this;
  }

  /** podman with these words. */
  readonly run = (...words: string[]): Promise<Said> => this.do(words);

  /** A container that goes with its end, in this store, without a network. */
  readonly box = (...words: string[]): Promise<Said> =>
    this.do(['run', '--rm', '--network', 'none', ...words]);

  /** One that stays, with `sleep`, unless there is something else to do. */
  async begin(
    name: string,
    flags: readonly string[] = [],
    command: readonly string[] = ['sleep', '100'],
  ): Promise<number> {
    const said = await this.run(
      'run',
      '--detach',
      '--name',
      name,
      '--network',
      'none',
      ...flags,
      'box',
      ...command,
    );
    if (said.status !== 0) throw new Error(`podman run: ${said.stderr}`);
    return await this.pid(name);
  }

  /** The first process of a container, as the host numbers it. */
  async pid(name: string): Promise<number> {
    return Number(await this.inspect(name, '.State.Pid'));
  }

  async inspect(name: string, what: string): Promise<string> {
    return (await this.run('inspect', '--format', `{{${what}}}`, name)).stdout.trim();
  }

  async do(words: readonly string[], { runtime = TSLAB, stdin, keys }: Options = {}): Promise<Said> {
    const podman = ['podman', '--runtime', runtime, '--cgroup-manager', 'cgroupfs', ...words];
    return await this.sh(
      keys ? ['script', '-qec', `stty rows 33 cols 77; exec ${quoted(podman)}`, '/dev/null'] : podman,
      {
        ...(stdin === undefined ? {} : { stdin }),
        ...(keys ? { keys } : {}),
      },
    );
  }

  /** Any command there. */
  async sh(words: readonly string[], { stdin, keys = [] }: Options = {}): Promise<Said> {
    await this.#ready;
    const enter = ['--target', `${this.#host.pid}`, '--mount', '--net', '--'];
    const become = [...(this.#user?.become ?? []), 'env', ...this.#environment];
    const child = spawn('nsenter', [...enter, ...become, ...words], {
      cwd: '/',
      timeout: 25_000,
      killSignal: 'SIGKILL',
    });
    const said: Said = { status: null, stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    child.stdin.on('error', () => {}); // it did not want to read all
    for (const [ms, text] of keys) {
      await new Promise((done) => setTimeout(done, ms));
      child.stdin.write(text);
    }
    if (keys.length === 0) child.stdin.end(stdin);
    // Not `close`: what stays in the background may hold on to the pipes.
    [said.status] = await once(child, keys.length === 0 && words.includes('--detach') ? 'exit' : 'close');
    return said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('pod', 'rm', '--all', '--force', '--time', '0');
    await this.run('rm', '--all', '--force', '--time', '0');
    if (this.#user) await this.run('system', 'migrate'); // ends the process that keeps the user's namespace
    for (const pid of inhabitants(this.#host.pid ?? 0)) attempt(() => process.kill(pid, 'SIGKILL'));
    const gone = once(this.#host, 'exit');
    this.#host.kill('SIGKILL');
    await gone;
    removeCgroups(/\/libpod_parent/);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text, { mode: 0o644 });
    return file;
  }

  #own(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { mode: 0o700 });
    if (this.#user) chownSync(path, UID, UID);
    return path;
  }
}

/** Where podman, netavark and tslab-oci keep what they share between containers; and a device that is root's alone. */
const ownPlaces = [
  ...['/run', '/var/lib/containers', '/etc/containers', '/etc/cni', '/var/tmp'].map(
    (place) => `mkdir -p ${place} && mount -t tmpfs -o mode=755 tmpfs ${place}`,
  ),
  'chmod 1777 /var/tmp',
  ...['subuid', 'subgid'].map(
    (name) => `cp /etc/${name} /run/${name} && mount --bind /run/${name} /etc/${name}`,
  ),
  `echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json`,
  // Root's alone on some hosts, and slirp4netns is an ordinary user's.
  '{ ! [ -d /dev/net ] || { mount -t tmpfs tmpfs /dev/net && mknod -m 666 /dev/net/tun c 10 200; }; }',
].join(' && ');

/** Its own default limits are above what a root without CAP_SYS_RESOURCE may set. */
const containersConf = (state: string) => `
[containers]
default_ulimits = ["nofile=512:512", "nproc=512:512"]
[engine]
events_logger = "file"
tmp_dir = "${state}"
runtime_supports_nocgroup = ["tslab-oci"]
runtime_supports_json = ["tslab-oci", "runc"]
[network]
network_backend = "netavark"
network_config_dir = "${state}/networks"
`;

const storageConf = (store: string, run: string, root: boolean) => `
[storage]
driver = "${root ? 'overlay' : 'vfs'}"
graphroot = "${store}"
rootless_storage_path = "${store}"
runroot = "${run}"
`;

const quoted = (words: readonly string[]) =>
  words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');

/** A process of a container, as the host sees it. */
export const statusOf = (pid: number, field: string): string | undefined =>
  new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

/** Neither gone nor a zombie. */
export function alive(pid: number): boolean {
  try {
    return !/^[ZX]/.test(statusOf(pid, 'State') ?? 'X');
  } catch {
    return false;
  }
}

/** Whoever is still in that process's mount namespace, and their children: what an engine that hangs would leave. */
function inhabitants(host: number): number[] {
  const space = (pid: number | string) => attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const there = all.filter((pid) => pid !== host && space(pid) === space(host));
  const parent = (pid: number) => Number(attempt(() => statusOf(pid, 'PPid')));
  return [...there, ...all.filter((pid) => there.includes(parent(pid)))];
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined; // it has ended
  }
}
