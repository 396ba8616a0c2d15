/** tslab hint: the next hint, each nearer to the answer. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

export const command = (program: Command): void => {
  courseOptions(
    program
      .command('hint <lesson> [level]')
      .description("the next hint for a lesson's exercise, or the one of a level"),
    'plain',
  ).action(async (name: string, level: string | undefined, options: CourseOptions) => {
    const { openSession } = await import('../../course/session.ts');
    const { screen } = await import('../../course/screen.ts');
    const { showHint } = await import('../../course/hints.ts');
    showHint(openSession(options), screen(options), name, level);
  });
};
