/** tslab dev check: proves that lessons are whole. For their authors, and for CI. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('dev')
    .description('for authors of lessons')
    .command('check [lessons...]')
    .description('prove that lessons are whole: texts, scenes, starters, solutions, nothing left behind')
    .action(async (names: string[]) => {
      const { devCheck } = await import('../../course/dev-check.ts');
      const { runAsOwnRoot } = await import('../../course/own-namespace.ts');
      process.exitCode = runAsOwnRoot() ?? (await devCheck(names));
    });
};
