/** tslab exercise: puts a lesson's starter into the learner's workspace. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

export const command = (program: Command): void => {
  courseOptions(
    program
      .command('exercise <lesson>')
      .description("put a lesson's exercise into your workspace; never overwrites what you have"),
    'workspace',
  ).action(async (name: string, options: CourseOptions) => {
    const { openSession } = await import('../../course/session.ts');
    const { beginExercise } = await import('../../course/exercise.ts');
    console.log(beginExercise(openSession(options), name, options.workspace));
  });
};
