/** tslab reset: begins an exercise again. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('reset [lesson]')
    .description('put the starter of an exercise back; your file is kept beside it')
    .option('--all', 'of all exercises that you have begun')
    .option('--workspace <dir>', 'your folder (~/tslab)')
    .option('--lang <lang>', 'en or zh')
    .action(
      async (name: string | undefined, options: { workspace?: string; lang?: string; all?: boolean }) => {
        if ((name === undefined) === !options.all) throw new Error('reset takes a lesson, or --all');
        const { openSession } = await import('../../course/session.ts');
        const { resetAll, resetExercise } = await import('../../course/exercise.ts');
        const session = openSession(options);
        const { workspace } = options;
        console.log(
          name === undefined ? resetAll(session, workspace) : resetExercise(session, name, workspace),
        );
      },
    );
};
