import type { Command } from 'commander';
import type { Container } from '../../runtime/run.ts';
import { addBirthFlags, type Birth, type BirthFlags, birth, writePidFile } from '../birth.ts';
import { globalFlags } from '../global.ts';
import { logWarning } from '../log.ts';

interface RunFlags extends BirthFlags {
  detach?: boolean;
  keep?: boolean;
}

export const declare = (program: Command): void => {
  addBirthFlags(program.command('run'))
    .description('create and start a container, wait for its end, and delete it')
    .argument('<id>')
    .option('-d, --detach', 'do not wait, and do not delete')
    .option('--keep', 'do not delete: with --detach, which never does')
    .action(async (id: string, flags: RunFlags) => {
      if (flags.keep && !flags.detach)
        throw new Error('--keep: what run waits for goes with its end; use --detach, or create and start');
      const global = globalFlags(program);
      if (flags.detach) {
        const { begin, create } = await import('../../runtime/lifecycle.ts');
        const { spec, options, notify } = await birth(id, flags, global);
        writePidFile(flags.pidFile, (await create(spec, options)).pid);
        await begin(id, { notify, warn: logWarning });
        return;
      }
      const { attend } = await import('../../cli/attend.ts');
      const begun = await birth(id, flags, global, true);
      process.exitCode = await attend(async () => {
        const container = await attended(id, begun);
        writePidFile(flags.pidFile, container.pid);
        return container;
      });
    });
};

/** Its program's word, if anybody wants it, is waited for beside it. */
async function attended(id: string, { spec, options, notify }: Birth): Promise<Container> {
  const { start } = await import('../../runtime/run.ts');
  const { socketSteps } = await import('../../runtime/sockets.ts');
  const notices = notify === undefined ? undefined : await import('../../runtime/notify.ts');
  const after = [...(options.after ?? []), ...socketSteps(spec.process, options, true)];
  const news = await notices?.listen(id, true);
  try {
    const container = await start(spec, { ...options, after });
    void news?.ready
      .then(async (said) => {
        if (said && notify !== undefined) await notices?.passOn(id, notify, container.pid);
      })
      .catch((error) => logWarning(error.message));
    const cancel = () => news?.cancel();
    container.exit.then(cancel, cancel);
    return container;
  } catch (error) {
    news?.cancel();
    throw error;
  }
}
