import type { Command } from 'commander';
import { logWarning } from '../log.ts';

export const declare = (program: Command): void => {
  program
    .command('start')
    .description('let the program of a created container run')
    .argument('<id>')
    .action(async (id: string) => {
      const { begin } = await import('../../runtime/lifecycle.ts');
      await begin(id, { notify: process.env.NOTIFY_SOCKET || undefined, warn: logWarning });
    });
};
