/** tslab as a package: what a program that installed it can import. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';

test('run(spec) from a package that links to tslab', (ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  const folder = mkdtempSync(join(tmpdir(), 'tslab-test-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(packageRoot, join(folder, 'node_modules/tslab'));
    writeFileSync(
      join(folder, 'main.mjs'),
      `import { defaultSpec, run } from 'tslab';
       const spec = defaultSpec({ args: ['sh', '-c', 'echo I am $$; exit 5'], rootfs: ${JSON.stringify(join(packageRoot, 'dist/rootfs/default'))} });
       console.log(JSON.stringify(await run(spec)));`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8' });
    expect([stdout, stderr]).toEqual(['I am 1\n{"code":5}\n', '']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
