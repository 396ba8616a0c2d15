/** Lessons without sudo: exercises and checks, in a namespace of the learner's own. */

import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OrdinaryUser } from '../../support/ordinary-user.ts';

let user: OrdinaryUser;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  user = new OrdinaryUser();
  ctx.skip(!user.mayRun, 'the checkout is where no other user may enter');
});
afterEach(() => user?.[Symbol.dispose]());

test.each(['process', 'chroot', 'pid'])('the exercise of %s is begun, and judged', (id) => {
  expect(user.tslab('exercise', id).status).toBe(0);
  const { stdout, status } = user.tslab('check', id, '--plain');
  expect(status).toBe(1);
  expect(stdout).toMatch(/✘/);
  expect(stdout).not.toMatch(/needs root/);
  expect(user.run('stat', '-c', '%U', join(user.home, `tslab/${id}.ts`)).stdout).toBe('learner\n');
});

test('also for one who has no range of ids', { timeout: 60_000 }, () => {
  using alone = new OrdinaryUser('');
  expect(alone.tslab('lesson', 'process', '--auto', '--plain').status).toBe(0);
});
