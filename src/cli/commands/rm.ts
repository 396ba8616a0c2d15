/** tslab rm: takes away what an ended container left: its root file system and its output. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('rm')
    .description('remove containers that have ended')
    .argument('<container...>', 'their names, or the beginnings of their ids')
    .option('-f, --force', 'also those that run: SIGKILL first')
    .action(async (names: string[], flags: { force?: boolean }) => {
      const { findContainer, removeContainer } = await import('../../runtime/containers.ts');
      const { ends, sendSignal, signalNumber } = await import('../../runtime/signal.ts');
      const { stateOf } = await import('../../runtime/state.ts');
      for (const { id } of names.map(findContainer)) {
        const state = stateOf(id);
        if (state && !flags.force)
          throw new Error(`container ${id}: it runs; tslab stop ${id} first, or rm --force`);
        if (state) await sendSignal(state, signalNumber('KILL'));
        await ends(id);
        removeContainer(id);
        console.log(id);
      }
    });
};
