/** tslab pause: stops all processes of a container where they are. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('pause')
    .description('freeze all processes of running containers')
    .argument('<container...>', 'their names, or the beginnings of their ids')
    .action(async (names: string[]) => {
      const { directoriesOf, freeze } = await import('../../runtime/cgroup.ts');
      const { findRunning } = await import('../../runtime/containers.ts');
      for (const state of names.map(findRunning)) await freeze(directoriesOf(state));
    });
};
