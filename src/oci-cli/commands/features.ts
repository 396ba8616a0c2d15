import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('features')
    .description('print what this runtime honours, as JSON')
    .action(async () => {
      const { features } = await import('../features.ts');
      console.log(JSON.stringify(features(), undefined, 2));
    });
};
