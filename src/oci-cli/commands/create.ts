import type { Command } from 'commander';
import { addBirthFlags, type BirthFlags, birthOptions, writePidFile } from '../birth.ts';

export const declare = (program: Command): void => {
  addBirthFlags(program.command('create'))
    .description('make a container; its program waits for start')
    .argument('<id>')
    .action(async (id: string, flags: BirthFlags) => {
      const { readBundle } = await import('../../runtime/bundle.ts');
      const { create } = await import('../../runtime/lifecycle.ts');
      const options = birthOptions(id, flags);
      const container = await create(readBundle(options.bundle, flags.config), options);
      writePidFile(flags.pidFile, container.pid);
    });
};
