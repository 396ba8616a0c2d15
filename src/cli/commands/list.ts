/** tslab list: the lessons, with what was done. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('list')
    .description('list the lessons and what you have done')
    .option('--plain', 'no colours')
    .option('--lang <lang>', 'en or zh')
    .action(async (options: { plain?: boolean; lang?: string }) => {
      const { printList } = await import('../../course/list.ts');
      const { openSession } = await import('../../course/session.ts');
      const { screen } = await import('../../course/screen.ts');
      printList(openSession(options), screen(options));
    });
};
