/** tslab reset: begins an exercise again. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('reset <lesson>')
    .description('put the starter of an exercise back; your file is kept beside it')
    .option('--workspace <dir>', 'your folder (~/tslab)')
    .option('--lang <lang>', 'en or zh')
    .action(async (name: string, options: { workspace?: string; lang?: string }) => {
      const { openSession } = await import('../../course/session.ts');
      const { resetExercise } = await import('../../course/exercise.ts');
      console.log(resetExercise(openSession(options), name, options.workspace));
    });
};
