/** tslab solution: the runtime's own stage. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

interface Options extends CourseOptions {
  giveUp?: boolean;
}

export const command = (program: Command): void => {
  courseOptions(
    program
      .command('solution <lesson>')
      .description("show the runtime's own stage, and how yours differs, once you have passed or given up")
      .option('--give-up', 'before you have passed, too; this is written down'),
    'workspace',
    'plain',
  ).action(async (name: string, options: Options) => {
    const { openSession } = await import('../../course/session.ts');
    const { screen } = await import('../../course/screen.ts');
    const { showSolution } = await import('../../course/solution.ts');
    process.exitCode = showSolution(openSession(options), screen(options), name, options);
  });
};
