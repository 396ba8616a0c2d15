/** tslab logs: what a detached container has written. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('logs')
    .description('print what a detached container has written to standard output and error')
    .argument('<container>', 'its name, or the beginning of its id')
    .option('-f, --follow', 'go on as long as it runs')
    .action(async (name: string, flags: { follow?: boolean }) => {
      const { findContainer, folderOf } = await import('../../runtime/containers.ts');
      const { isClaimed } = await import('../../runtime/state.ts');
      const { id } = findContainer(name);
      const { existsSync } = await import('node:fs');
      const { log } = folderOf(id);
      if (!existsSync(log))
        throw new Error(
          `container ${id}: it is not detached, its output goes to the terminal that started it`,
        );
      await print(log, () => flags.follow === true && isClaimed(id));
    });
};

/** Asks before each look whether more can come: what was written before the answer is then still read. */
async function print(file: string, more: () => boolean): Promise<void> {
  const { createReadStream } = await import('node:fs');
  const { setTimeout: sleep } = await import('node:timers/promises');
  let start = 0;
  for (let again = true; again; ) {
    again = more();
    for await (const chunk of createReadStream(file, { start })) {
      start += chunk.length;
      if (!process.stdout.write(chunk)) await new Promise((drained) => process.stdout.once('drain', drained));
    }
    if (again) await sleep(100);
  }
}
