import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('delete')
    .description('take back what create has made')
    .argument('<id>')
    .option('-f, --force', 'kill it first if it runs; no error if it does not exist')
    .action(async (id: string, flags: { force?: boolean }) => {
      const { remove } = await import('../../runtime/lifecycle.ts');
      await remove(id, flags.force);
    });
};
