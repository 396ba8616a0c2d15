/** An instructor's own lessons and checks, in a folder of theirs. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';

let home: string;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  home = mkdtempSync(join(tmpdir(), 'tslab-course-'));
});
afterEach(() => home && rmSync(home, { recursive: true }));

function tslab(...args: string[]) {
  const env = { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' };
  const { status, stdout, stderr } = spawnSync(join(packageRoot, 'bin/tslab'), args, {
    encoding: 'utf8',
    env,
  });
  return { status, said: stdout + stderr };
}

test('a lesson that dev new begins is whole, and is one of the course', () => {
  const course = join(home, 'mycourse');
  expect(tslab('dev', 'new', join(course, '16-swap'))).toMatchObject({ status: 0 });
  expect(tslab('dev', 'check', '16', '--course', course)).toMatchObject({ status: 0 });
  expect(tslab('list', '--course', course).said).toMatch(/16 +swap/);
  expect(tslab('lesson', 'swap', '--auto', '--course', course)).toMatchObject({ status: 0 });
  expect(tslab('exercise', 'swap', '--course', course)).toMatchObject({ status: 0 });
  expect(tslab('check', 'swap', '--course', course)).toMatchObject({ status: 1 });
  cpSync(join(course, '16-swap/stage.ts'), join(home, 'tslab/swap.ts'));
  expect(tslab('check', 'swap', '--course', course)).toMatchObject({ status: 0 });
  expect(tslab('list').said).not.toContain('swap');
}, 60_000);

test('checks in a folder of a lesson’s name are added to that lesson’s own', () => {
  const course = join(home, 'mycourse');
  tslab('dev', 'new', join(course, '16-swap')); // for what it imports
  mkdirSync(join(course, '01-chroot'));
  writeFileSync(
    join(course, '01-chroot/checks.ts'),
    `import { fail } from 'tslab/checks';
    export const checks = [{ id: 'mine', title: { en: 'Mine', zh: '我的' }, why: { en: 'w', zh: 'w' }, look: { en: 'l', zh: 'l' },
      run: async () => fail({ en: 'this', zh: '这个' }, 'that') }];`,
  );
  cpSync(join(packageRoot, 'lessons/01-chroot/stage.ts'), join(home, 'tslab/chroot.ts'), { recursive: true });
  const { said, status } = tslab('check', 'chroot', '--course', course);
  expect(said).toMatch(/✘ Mine.*4 passed, 1 failed/s);
  expect(status).toBe(1);
});

test.each([
  ['3-mine', 'is tslab'],
  ['17-pid', 'is tslab'],
])('a lesson %s takes what is taken', (name, why) => {
  const folder = join(home, 'mycourse', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'lesson.md'), '# Mine\n');
  expect(tslab('list', '--course', join(home, 'mycourse'))).toMatchObject({
    status: 1,
    said: expect.stringContaining(why),
  });
});

test('a course that is not there, a folder whose name is no lesson’s', () => {
  expect(tslab('list', '--course', join(home, 'none')).said).toContain('no such folder');
  expect(tslab('dev', 'new', join(home, 'mycourse/Swap')).said).toContain('such as 16-swap');
});
