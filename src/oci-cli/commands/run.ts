import type { Command } from 'commander';
import { addBirthFlags, type BirthFlags, birthOptions, configFor, writePidFile } from '../birth.ts';

interface RunFlags extends BirthFlags {
  detach?: boolean;
  keep?: boolean;
}

export const declare = (program: Command): void => {
  addBirthFlags(program.command('run'))
    .description('create and start a container, wait for its end, and delete it')
    .argument('<id>')
    .option('-d, --detach', 'do not wait, and do not delete')
    .option('--keep', 'do not delete')
    .action(async (id: string, flags: RunFlags, command: Command) => {
      const options = birthOptions(id, flags);
      const spec = configFor(id, flags, command.optsWithGlobals());
      if (flags.detach) {
        const { begin, create } = await import('../../runtime/lifecycle.ts');
        writePidFile(flags.pidFile, (await create(spec, options)).pid);
        await begin(id);
        return;
      }
      const { attend } = await import('../../cli/attend.ts');
      const { start } = await import('../../runtime/run.ts');
      const container = await start(spec, options);
      writePidFile(flags.pidFile, container.pid);
      process.exitCode = await attend(container);
    });
};
