/** A bundle and a state directory for one test, and tslab-oci on them. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSpec } from '../../src/oci/default.ts';
import type { Spec } from '../../src/oci/spec.ts';
import { packageRoot } from '../../src/package-root.ts';

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** What a caller of tslab-oci hands over. */
export interface Circumstances {
  /** Assignments for a shell, such as `A=b LISTEN_PID=$$`. */
  env?: string;
  input?: string;
  /** Opened for reading, from 3 on. */
  files?: string[];
}

export class Bundle {
  readonly dir = mkdtempSync(join(tmpdir(), 'tslab-oci-'));
  readonly root = join(this.dir, 'state');

  constructor() {
    const from = join(packageRoot, 'dist/rootfs/default');
    execFileSync('cp', ['-a', `${from}/.`, join(this.dir, 'rootfs')]);
  }

  path(...names: string[]): string {
    return join(this.dir, ...names);
  }

  config(args: string[], change: (spec: Spec) => void = () => {}): this {
    const spec = defaultSpec({ args, rootfs: 'rootfs' });
    change(spec);
    writeFileSync(this.path('config.json'), JSON.stringify(spec));
    return this;
  }

  oci(...args: string[]): Result {
    return this.ociWith({}, ...args);
  }

  /** Into files: a container's output is that of `create`, and pipes would stay open as long as it lives. */
  ociWith({ env, input, files: passed = [] }: Circumstances, ...args: string[]): Result {
    const files = ['stdout', 'stderr'].map((name) => this.path(`${name}-${args[0]}`));
    const fds = [...files.map((file) => openSync(file, 'w+')), ...passed.map((file) => openSync(file, 'r'))];
    const [stdout0, stderr0, ...further] = fds;
    // A shell that becomes tslab-oci: its number is known to the variables, as LISTEN_PID wants it.
    const script = `${env ?? ''} exec "$@"`;
    const words = [join(packageRoot, 'bin/tslab-oci'), '--root', this.root, ...args];
    const { status } = spawnSync('sh', ['-c', script, 'sh', ...words], {
      cwd: this.dir,
      ...(input === undefined ? {} : { input }),
      stdio: [input === undefined ? 'ignore' : 'pipe', stdout0, stderr0, ...further],
      timeout: 20_000,
    });
    for (const fd of fds) closeSync(fd);
    const [stdout = '', stderr = ''] = files.map((file) => readFileSync(file, 'utf8'));
    return { status, stdout, stderr };
  }

  /** Beside others: ends by itself. */
  async begin(...args: string[]): Promise<Result> {
    const [stdout, stderr] = ['out', 'err'].map((name) => this.path(`${name}-${++this.#begun}`));
    const fds = [stdout, stderr].map((file) => openSync(file as string, 'w+'));
    const child = spawn(join(packageRoot, 'bin/tslab-oci'), ['--root', this.root, ...args], {
      cwd: this.dir,
      stdio: ['ignore', fds[0] ?? 'ignore', fds[1] ?? 'ignore'],
    });
    for (const fd of fds) closeSync(fd);
    const status = await new Promise<number | null>((done) => child.once('exit', done));
    return {
      status,
      stdout: readFileSync(stdout as string, 'utf8'),
      stderr: readFileSync(stderr as string, 'utf8'),
    };
  }
  #begun = 0;

  /** What the container itself has written since it was created. */
  output(): string {
    return readFileSync(this.path('stdout-create'), 'utf8');
  }

  state(id: string): { status: string; pid: number; [field: string]: unknown } {
    return JSON.parse(this.oci('state', id).stdout);
  }

  [Symbol.dispose](): void {
    this.oci('delete', '--force', '--regex', '.');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
