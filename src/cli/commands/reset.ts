/** tslab reset: begins an exercise again. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

export const command = (program: Command): void => {
  courseOptions(
    program
      .command('reset [lesson]')
      .description('put the starter of an exercise back; your file is kept beside it')
      .option('--all', 'of all exercises that you have begun'),
    'workspace',
  ).action(async (name: string | undefined, options: CourseOptions & { all?: boolean }) => {
    if ((name === undefined) === !options.all) throw new Error('reset takes a lesson, or --all');
    const { openSession } = await import('../../course/session.ts');
    const { resetAll, resetExercise } = await import('../../course/exercise.ts');
    const session = openSession(options);
    const { workspace } = options;
    console.log(name === undefined ? resetAll(session, workspace) : resetExercise(session, name, workspace));
  });
};
