/** tslab solution: the runtime's own stage. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('solution <lesson>')
    .description("show the runtime's own stage, once you have passed (or with --yes)")
    .option('--yes', 'before you have passed, too')
    .option('--lang <lang>', 'en or zh')
    .action(async (name: string, options: { yes?: boolean; lang?: string }) => {
      const { openSession } = await import('../../course/session.ts');
      const { showSolution } = await import('../../course/hints.ts');
      process.exitCode = showSolution(openSession(options), name, options.yes === true);
    });
};
