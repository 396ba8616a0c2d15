import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('delete')
    .description('take back what create has made')
    .argument('<id>')
    .option('-f, --force', 'kill it first if it runs; no error if it does not exist')
    .option('-r, --regex', 'the id is a pattern: all containers that match')
    .action(async (id: string, flags: { force?: boolean; regex?: boolean }) => {
      const { remove } = await import('../../runtime/lifecycle.ts');
      if (!flags.regex) return await remove(id, flags.force);
      const { forEachMatch } = await import('../matching.ts');
      await forEachMatch(id, (one) => remove(one, flags.force));
    });
};
