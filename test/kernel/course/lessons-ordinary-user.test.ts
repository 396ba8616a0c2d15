/** Lessons without sudo: all that they show, in a namespace of the learner's own. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lessons } from '../../../lessons/index.ts';
import { OrdinaryUser } from '../../support/ordinary-user.ts';

let user: OrdinaryUser;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  user = new OrdinaryUser();
  ctx.skip(!user.mayRun, 'the checkout is where no other user may enter');
});
afterEach(() => user?.[Symbol.dispose]());

test.each(lessons.map(({ id }) => id))(
  'every scene of lesson %s shows what the text claims',
  { timeout: 60_000 },
  (id) => {
    const { stdout, stderr, status } = user.tslab('lesson', id, '--auto', '--plain');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/small host of your own/);
    expect(stdout).toMatch(/all \d+ claims held/);
    expect(status).toBe(0);
    const kept = join(user.home, '.local/share/tslab');
    expect(existsSync(kept) ? readdirSync(kept) : []).toEqual([]);
  },
);

test('also for one who has no range of ids', { timeout: 60_000 }, () => {
  using alone = new OrdinaryUser('');
  expect(alone.tslab('dev', 'check', 'chroot').stdout).toMatch(/1 lessons? (is|are) whole/);
});
