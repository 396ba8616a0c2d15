import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('pause')
    .description('stop all processes of a running container where they are')
    .argument('<id>')
    .action(async (id: string) => {
      const { pause } = await import('../../runtime/lifecycle.ts');
      await pause(id);
    });
};
