import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('ps')
    .description('list the processes of a container, as the host numbers them')
    .argument('<id>')
    .option('-f, --format <format>', 'table or json', 'table')
    .action(async (id: string, flags: { format: string }) => {
      const { directoriesOf, pids: pidsOf } = await import('../../runtime/cgroup.ts');
      const { existing } = await import('../../runtime/lifecycle.ts');
      const pids = pidsOf(directoriesOf(existing(id)));
      if (flags.format === 'json') console.log(JSON.stringify(pids));
      else {
        const { spawnSync } = await import('node:child_process');
        spawnSync('ps', ['-o', 'pid,user,args', '-p', pids.join(',')], { stdio: 'inherit' });
      }
    });
};
