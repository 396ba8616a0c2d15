/** tslab kill: a signal for a container's first process. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('kill')
    .description('send a signal to the first process of running containers')
    .argument('<container...>', 'their names, or the beginnings of their ids')
    .option('-s, --signal <signal>', 'a name or a number', 'KILL')
    .action(async (names: string[], flags: { signal: string }) => {
      const { findRunning } = await import('../../runtime/containers.ts');
      const { sendSignal, signalNumber } = await import('../../runtime/signal.ts');
      const signal = signalNumber(flags.signal);
      for (const state of names.map(findRunning)) await sendSignal(state, signal);
    });
};
