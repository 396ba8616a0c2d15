import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('resume')
    .description('let a paused container go on')
    .argument('<id>')
    .action(async (id: string) => {
      const { resume } = await import('../../runtime/lifecycle.ts');
      await resume(id);
    });
};
