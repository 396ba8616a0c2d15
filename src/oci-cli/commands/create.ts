import type { Command } from 'commander';
import { addBirthFlags, type BirthFlags, birth, writePidFile } from '../birth.ts';
import { globalFlags } from '../global.ts';

export const declare = (program: Command): void => {
  addBirthFlags(program.command('create'))
    .description('make a container; its program waits for start')
    .argument('<id>')
    .action(async (id: string, flags: BirthFlags) => {
      const { create } = await import('../../runtime/lifecycle.ts');
      const { spec, options } = await birth(id, flags, globalFlags(program));
      const container = await create(spec, options);
      writePidFile(flags.pidFile, container.pid);
    });
};
