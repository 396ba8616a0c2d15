/** tslab clean: takes back what containers left whose launcher was killed. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('clean')
    .description('undo what a killed tslab left on this machine')
    .action(async () => {
      const { removeLeftovers } = await import('../../runtime/containers.ts');
      const { playOrphans } = await import('../../runtime/ledgers.ts');
      const { sweep } = await import('../../course/rootfs.ts');
      const played = playOrphans();
      const removed = [...sweep(), ...removeLeftovers()];
      for (const { path, outcome, said } of played)
        console.log(`${outcome.padEnd(7)} ${path}${said === '' ? '' : `: ${said}`}`);
      for (const path of removed) console.log(`removed ${path}`);
      if (played.length + removed.length === 0) console.log('nothing to undo');
      if (played.some(({ outcome }) => outcome === 'left')) process.exitCode = 1;
    });
};
