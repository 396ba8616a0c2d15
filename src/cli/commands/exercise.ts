/** tslab exercise: puts a lesson's starter into the learner's workspace. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('exercise <lesson>')
    .description("put a lesson's exercise into your workspace; never overwrites what you have")
    .option('--workspace <dir>', 'your folder (~/tslab)')
    .option('--lang <lang>', 'en or zh')
    .action(async (name: string, options: { workspace?: string; lang?: string }) => {
      const { openSession } = await import('../../course/session.ts');
      const { beginExercise } = await import('../../course/exercise.ts');
      console.log(beginExercise(openSession(options), name, options.workspace));
    });
};
