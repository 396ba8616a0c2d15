/** tslab wait: until containers have ended. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('wait')
    .description('wait until containers have ended, and print their exit statuses')
    .argument('<container...>', 'their names, or the beginnings of their ids')
    .action(async (names: string[]) => {
      const { findContainer } = await import('../../runtime/containers.ts');
      const { exitCode } = await import('../../runtime/exit.ts');
      const { ends } = await import('../../runtime/signal.ts');
      for (const { id } of names.map(findContainer)) {
        await ends(id);
        const { exit } = findContainer(id);
        console.log(exit ? exitCode(exit) : 'unknown');
      }
    });
};
