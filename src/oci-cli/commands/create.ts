import type { Command } from 'commander';
import { addBirthFlags, type BirthFlags, birthOptions, configFor, writePidFile } from '../birth.ts';

export const declare = (program: Command): void => {
  addBirthFlags(program.command('create'))
    .description('make a container; its program waits for start')
    .argument('<id>')
    .action(async (id: string, flags: BirthFlags, command: Command) => {
      const { create } = await import('../../runtime/lifecycle.ts');
      const container = await create(
        configFor(id, flags, command.optsWithGlobals()),
        birthOptions(id, flags),
      );
      writePidFile(flags.pidFile, container.pid);
    });
};
