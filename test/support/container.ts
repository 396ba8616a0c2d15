/** A container for one test file: a private rootfs with the probe in it, and what it printed. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Container, defaultSpec, type Exit, type StartOptions, start } from '../../src/index.ts';
import type { Spec } from '../../src/oci/spec.ts';
import { packageRoot } from '../../src/package-root.ts';
import { abiOf, type Machine } from '../../src/steps/seccomp/abi.ts';

export class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), 'tslab-test-'));
  readonly rootfs = join(this.folder, 'rootfs');
  readonly #containers: Container[] = [];

  constructor() {
    execFileSync('cp', ['-a', `${join(packageRoot, 'dist/rootfs/default')}/.`, this.rootfs]);
  }

  /** Builds test/support/probe.c into the rootfs, as /probe. */
  addProbe(): void {
    const probe = join(this.folder, 'probe');
    execFileSync('cc', ['-O1', '-static', '-o', probe, join(import.meta.dirname, 'probe.c')]);
    copyFileSync(probe, join(this.rootfs, 'probe'));
  }

  async start(
    args: string[],
    change: (spec: Spec) => void = () => {},
    options: StartOptions = {},
  ): Promise<Container> {
    const spec = defaultSpec({ args, rootfs: this.rootfs });
    change(spec);
    const container = await start(spec, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
    this.#containers.push(container);
    return container;
  }

  /** Runs it to its end. */
  async run(
    args: string[],
    change?: (spec: Spec) => void,
  ): Promise<{ out: string; err: string; exit: Exit }> {
    const container = await this.start(args, change);
    const [out, err, exit] = await Promise.all([
      text(container.stdout as Readable),
      text(container.stderr as Readable),
      container.exit,
    ]);
    return { out, err, exit };
  }

  async stopAll(): Promise<void> {
    await Promise.allSettled(this.#containers.splice(0).map((container) => container.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A call for /probe, by its name on this machine: `call('mkdir', '/x', 0o755)`. */
export function call(name: string, ...args: (string | number | bigint)[]): string {
  const abi = abiOf(
    process.arch === 'arm64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64',
    process.arch as Machine,
  );
  const number = typeof abi === 'object' ? abi.numbers.get(name) : undefined;
  if (number === undefined) throw new Error(`${name} is no system call of this machine`);
  return [number, ...args].join(',');
}
