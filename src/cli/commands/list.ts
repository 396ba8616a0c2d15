/** tslab list: the lessons, with what was done. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

export const command = (program: Command): void => {
  courseOptions(
    program.command('list').description('list the lessons and what you have done'),
    'plain',
  ).action(async (options: CourseOptions) => {
    const { printList } = await import('../../course/list.ts');
    const { openSession } = await import('../../course/session.ts');
    const { screen } = await import('../../course/screen.ts');
    printList(openSession(options), screen(options));
  });
};
