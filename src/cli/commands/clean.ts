/** tslab clean: takes back what containers left whose launcher was killed. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('clean')
    .description('undo what a killed tslab left on this machine')
    .action(async () => {
      const { playOrphans } = await import('../../runtime/ledgers.ts');
      const { sweep } = await import('../../course/rootfs.ts');
      sweep();
      const played = playOrphans();
      for (const { path, undone, said } of played)
        console.log(`${undone ? 'undone' : 'left  '}  ${path}${said === '' ? '' : `: ${said}`}`);
      if (played.length === 0) console.log('nothing to undo');
    });
};
