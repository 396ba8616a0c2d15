import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('state')
    .description('print the state of a container as JSON')
    .argument('<id>')
    .action(async (id: string) => {
      const { existing } = await import('../../runtime/lifecycle.ts');
      const { describe } = await import('../describe.ts');
      console.log(JSON.stringify(describe(existing(id)), undefined, 2));
    });
};
