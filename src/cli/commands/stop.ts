/** tslab stop: asks a container to end, and insists when it does not. */
import type { Command } from 'commander';
import { STOP_SIGNAL_ANNOTATION } from '../../oci/annotations.ts';

export const command = (program: Command): void => {
  program
    .command('stop')
    .description(
      'send SIGTERM, or what their image wants, to running containers, and SIGKILL to those that go on',
    )
    .argument('<container...>', 'their names, or the beginnings of their ids')
    .option('-t, --time <seconds>', 'how long to wait in between', '10')
    .action(async (names: string[], flags: { time: string }) => {
      const { findRunning } = await import('../../runtime/containers.ts');
      const { ends, sendSignal, signalNumber } = await import('../../runtime/signal.ts');
      const seconds = Number(flags.time);
      if (!(seconds >= 0)) throw new Error(`--time ${flags.time}: it takes a number of seconds`);
      await Promise.all(
        names.map(findRunning).map(async (state) => {
          await sendSignal(state, signalNumber(state.spec.annotations?.[STOP_SIGNAL_ANNOTATION] ?? 'TERM'));
          if (await ends(state.id, seconds * 1000)) return;
          await sendSignal(state, signalNumber('KILL'));
          await ends(state.id);
        }),
      );
    });
};
