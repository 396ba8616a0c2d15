/** A layer of 200 MB unpacked, beside tar. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packIntoStore } from '../image/layer/pack.ts';
import { Store } from '../image/store/store.ts';
import { packageRoot } from '../package-root.ts';
import type { Contestant } from './bench.ts';

export async function layers(folder: string): Promise<Contestant[]> {
  const tree = join(folder, 'layer');
  plant(tree);
  using store = new Store(join(folder, 'images'));
  const { descriptor, diffId } = await packIntoStore(store, tree);
  rmSync(tree, { recursive: true });
  const blob = store.blobPath(descriptor.digest);
  const out = join(folder, 'out');
  const order = JSON.stringify({ folder: store.folder, descriptor, diffId, limits: {} });
  const program = join(packageRoot, 'dist/image/layer/own-root-program.js');
  return [
    watched('tar -xzf', 'tar', ['-C', out, '--numeric-owner', '-xpzf', blob], out),
    // A process of its own, so that its memory is its own; what starting Node costs is in the figure.
    watched('tslab, its digest verified', process.execPath, [program, 'unpack', order], store.layers),
  ];
}

/** @param leaves what it makes: not there when it begins, and its removal is in no figure. */
function watched(runtime: string, file: string, args: string[], leaves: string): Contestant {
  let peak = 0;
  return {
    runtime,
    async once() {
      rmSync(leaves, { recursive: true, force: true });
      mkdirSync(leaves, { recursive: true });
      const begun = performance.now();
      const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      const watch = setInterval(() => {
        peak = Math.max(peak, peakOf(child.pid ?? 0));
      }, 20);
      const [code] = await once(child, 'exit');
      clearInterval(watch);
      if (code !== 0) throw new Error(`${file}: it ended with ${code}`);
      return performance.now() - begun;
    },
    peak: () => peak,
  };
}

/** proc_pid_status(5): VmHWM, in KiB. */
function peakOf(pid: number): number {
  try {
    const [, kib] = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0; // it has just ended
  }
}

/** As distributions' images are: thousands of small texts, some hundred libraries, a few large files; compressible to less than half. */
function plant(tree: string): void {
  const kinds = [
    { count: 8000, size: 4_000 },
    { count: 400, size: 200_000 },
    { count: 8, size: 11_000_000 },
  ];
  const text = Buffer.from('the same words come again and again in files of text, and in code as well; ');
  let seed = 1;
  const next = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed;
  };
  for (const [kind, { count, size }] of kinds.entries())
    for (let i = 0; i < count; i++) {
      const folder = join(tree, `kind${kind}`, `folder${i % 97}`);
      mkdirSync(folder, { recursive: true });
      const bytes = Buffer.alloc(size, text);
      // What can't be guessed: four bytes in twelve.
      for (let at = 0; at + 4 < size; at += 12) bytes.writeUInt32LE(next(), at);
      writeFileSync(join(folder, `file${i}`), bytes);
    }
}
