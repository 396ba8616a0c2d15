/** A bundle and a state directory for one test, and tslab-oci on them. */
import { execFileSync, spawnSync } from 'node:child_process';
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

  /** Into files: a container's output is that of `create`, and pipes would stay open as long as it lives. */
  oci(...args: string[]): Result {
    const files = ['stdout', 'stderr'].map((name) => this.path(`${name}-${args[0]}`));
    const fds = files.map((file) => openSync(file, 'w+'));
    const { status } = spawnSync(join(packageRoot, 'bin/tslab-oci'), ['--root', this.root, ...args], {
      cwd: this.dir,
      stdio: ['ignore', fds[0], fds[1]],
      timeout: 20_000,
    });
    for (const fd of fds) closeSync(fd);
    const [stdout = '', stderr = ''] = files.map((file) => readFileSync(file, 'utf8'));
    return { status, stdout, stderr };
  }

  /** What the container itself has written since it was created. */
  output(): string {
    return readFileSync(this.path('stdout-create'), 'utf8');
  }

  state(id: string): { status: string; pid: number; [field: string]: unknown } {
    return JSON.parse(this.oci('state', id).stdout);
  }

  [Symbol.dispose](): void {
    for (const name of list(this.root))
      if (name.endsWith('.json')) this.oci('delete', '--force', name.slice(0, -'.json'.length));
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
