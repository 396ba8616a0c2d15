/** What a command prints arrives whole, however slowly it is read. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';

test('more than a pipe holds', (ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  const tslab = join(packageRoot, 'bin/tslab');
  const name = `long-${process.pid}`;
  // Each program's arguments are part of what ps prints.
  const words = Array.from({ length: 1000 }, () => 'x'.repeat(100));
  const ran = spawnSync(tslab, ['run', '-d', '--name', name, '--', 'sh', '-c', 'sleep 100', ...words]);
  try {
    expect(ran.status).toBe(0);
    const slow = spawnSync('sh', ['-c', '"$0" ps --json | { sleep 0.5; cat; }', tslab], { encoding: 'utf8' });
    expect(slow.stdout.length).toBeGreaterThan(100_000);
    expect(() => JSON.parse(slow.stdout)).not.toThrow();
  } finally {
    spawnSync(tslab, ['rm', '-f', name]);
  }
});
