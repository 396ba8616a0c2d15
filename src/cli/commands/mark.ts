/** tslab mark: one file, for tslab grade, which starts it once for each. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

export const command = (program: Command): void => {
  courseOptions(program.command('mark <lesson> <file>', { hidden: true }).option('--seed <text>')).action(
    async (name: string, file: string, options: CourseOptions & { seed?: string }) => {
      const { openSession } = await import('../../course/session.ts');
      const { interruptible } = await import('../../course/interrupt.ts');
      const { markFile } = await import('../../course/grading/mark.ts');
      const session = openSession(options);
      const mark = await interruptible((signal) =>
        markFile(session.lesson(name), file, { ...options, language: session.language, signal }),
      );
      console.log(JSON.stringify(mark));
    },
  );
};
