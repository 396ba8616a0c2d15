/** tslab lesson: guides through a lesson. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

interface Options extends CourseOptions {
  auto?: boolean;
  restart?: boolean;
}

export const command = (program: Command): void => {
  courseOptions(
    program
      .command('lesson [lesson]')
      .description('go through a lesson, by number or id, in the terminal; without one: choose')
      .option(
        '--auto',
        'play through without questions; exit 0 only if every scene shows what the text claims',
      )
      .option('--restart', 'begin at the beginning, not where you were'),
    'plain',
  ).action(async (name: string | undefined, options: Options) => {
    const { lessonCommand } = await import('../../course/lesson-command.ts');
    const { runAsOwnRoot } = await import('../../course/own-namespace.ts');
    process.exitCode = runAsOwnRoot() ?? (await lessonCommand(name, options));
  });
};
