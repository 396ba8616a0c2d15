/** tslab start: a detached container that has ended runs its program once more, with all that it changed. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('start')
    .description('run detached containers again that have ended, with the files they left')
    .argument('<container...>', 'their names, or the beginnings of their ids')
    .action(async (names: string[]) => {
      const { openSync, rmSync } = await import('node:fs');
      const { findContainer, folderOf } = await import('../../runtime/containers.ts');
      const { start } = await import('../../runtime/run.ts');
      for (const { id, spec, state } of names.map(findContainer)) {
        if (state !== 'exited') throw new Error(`container ${id}: it is ${state}`);
        const folder = folderOf(id);
        rmSync(folder.status, { force: true });
        const log = openSync(folder.log, 'a', 0o600);
        const warn = (text: string) => console.error(`tslab: warning: ${text}`);
        const detach = { status: folder.status };
        (await start(spec, { id, stdio: ['ignore', log, log], detach, warn })).release();
        console.log(id);
      }
    });
};
