/** tslab next: what to do now. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

export const command = (program: Command): void => {
  courseOptions(program.command('next').description('say what to do next')).action(
    async (options: CourseOptions) => {
      const { openSession } = await import('../../course/session.ts');
      const { nextStep } = await import('../../course/next.ts');
      console.log(nextStep(openSession(options)));
    },
  );
};
