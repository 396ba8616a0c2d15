/** tslab unpause: lets a frozen container go on. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('unpause')
    .description('let frozen containers go on')
    .argument('<container...>', 'their names, or the beginnings of their ids')
    .action(async (names: string[]) => {
      const { directoriesOf, thaw } = await import('../../runtime/cgroup.ts');
      const { findRunning } = await import('../../runtime/containers.ts');
      for (const state of names.map(findRunning)) await thaw(directoriesOf(state));
    });
};
