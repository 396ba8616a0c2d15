/** Every lesson, proved the way its authors prove it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { lessons } from '../../../lessons/index.ts';
import { packageRoot } from '../../../src/package-root.ts';

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));

test.each(lessons.map(({ id }) => id))('lesson %s is whole', { timeout: 240_000 }, (id) => {
  const { status, stdout, stderr } = spawnSync(join(packageRoot, 'bin/tslab'), ['dev', 'check', id], {
    encoding: 'utf8',
  });
  expect(stdout + stderr).toMatch(/whole/);
  expect(status).toBe(0);
});
