import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('kill')
    .description("send a signal to a container's first process")
    .argument('<id>')
    .argument('[signal]', 'a name with or without SIG, RTMIN+n, or a number', 'TERM')
    .option('-a, --all', 'to all of its processes')
    .option('-r, --regex', 'the id is a pattern: to all containers that match')
    .action(async (id: string, text: string, flags: { all?: boolean; regex?: boolean }) => {
      const { kill } = await import('../../runtime/lifecycle.ts');
      const { signalNumber } = await import('../../runtime/signal.ts');
      const signal = signalNumber(text);
      if (!flags.regex) return await kill(id, signal, flags.all);
      const { forEachMatch } = await import('../matching.ts');
      await forEachMatch(id, (one) => kill(one, signal, flags.all));
    });
};
