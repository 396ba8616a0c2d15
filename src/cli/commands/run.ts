/** tslab run: a command in a container. */
import type { Command } from 'commander';
import { addSpecFlags, type SpecFlags } from '../spec-flags.ts';

export const command = (program: Command): void => {
  addSpecFlags(program.command('run'))
    .description('run a command in a new container')
    .action(async (args: string[], flags: SpecFlags) => {
      process.exitCode = await run(args, flags);
    });
};

async function run(args: string[], flags: SpecFlags): Promise<number> {
  const { specFrom } = await import('../spec-from.ts');
  const { attend } = await import('../attend.ts');
  const { start } = await import('../../runtime/run.ts');
  if (flags.tty && !process.stdin.isTTY) throw new Error('--tty: standard input is no terminal');
  const { rootfs, remove } = await rootfsFor(flags);
  try {
    const { spec, stages } = specFrom(args, flags, rootfs);
    const container = await start(spec, {
      ...(flags.name === undefined ? {} : { id: flags.name }),
      ...(stages === undefined ? {} : { stages }),
      warn: (text) => console.error(`tslab: warning: ${text}`),
      stdio: [flags.interactive || flags.tty ? 'inherit' : 'ignore', 'inherit', 'inherit'],
    });
    return await attend(container);
  } finally {
    remove();
  }
}

async function rootfsFor(flags: SpecFlags): Promise<{ rootfs: string; remove: () => void }> {
  const { existsSync } = await import('node:fs');
  const { resolve } = await import('node:path');
  if (flags.rootfs !== undefined) {
    const rootfs = resolve(flags.rootfs);
    if (!existsSync(rootfs)) throw new Error(`--rootfs ${rootfs}: no such directory`);
    return { rootfs, remove: () => {} };
  }
  const { copyRootfs, ownFolder, removeFolder } = await import('../../course/rootfs.ts');
  const folder = ownFolder();
  return { rootfs: copyRootfs(`${folder}/rootfs`), remove: () => removeFolder(folder) };
}
