/** tslab ps: the running containers. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('ps')
    .description('list the running containers')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { runningContainers } = await import('../../runtime/state.ts');
      const states = runningContainers();
      if (options.json) {
        console.log(JSON.stringify(states, undefined, 2));
        return;
      }
      console.log(`${'CONTAINER'.padEnd(20)} ${'PID'.padEnd(8)} COMMAND`);
      for (const { id, pid, spec } of states)
        console.log(`${id.padEnd(20)} ${String(pid).padEnd(8)} ${spec.process?.args.join(' ')}`);
    });
};
