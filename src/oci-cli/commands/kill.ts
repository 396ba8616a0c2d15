import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('kill')
    .description("send a signal to a container's first process")
    .argument('<id>')
    .argument('[signal]', 'a name with or without SIG, or a number', 'TERM')
    .option('-a, --all', 'to all of its processes')
    .action(async (id: string, text: string, flags: { all?: boolean }) => {
      const { kill } = await import('../../runtime/lifecycle.ts');
      const { signalNumber } = await import('../../runtime/signal.ts');
      await kill(id, signalNumber(text), flags.all);
    });
};
