/** tslab run: a command in a container. */
import { constants } from 'node:os';
import type { Command } from 'commander';
import { addSpecFlags, type SpecFlags } from '../spec-flags.ts';

export const command = (program: Command): void => {
  addSpecFlags(program.command('run'))
    .description('run a command in a new container')
    .action(async (args: string[], flags: SpecFlags) => {
      process.exitCode = await run(args, flags);
    });
};

/** Passed on to the program; the terminal's own Ctrl-C and Ctrl-\ arrive here as well. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

async function run(args: string[], flags: SpecFlags): Promise<number> {
  const { specFrom } = await import('../spec-flags.ts');
  const { start } = await import('../../runtime/run.ts');
  if (flags.tty && !process.stdin.isTTY) throw new Error('--tty: standard input is no terminal');
  const { rootfs, remove } = await rootfsFor(flags);
  try {
    const { spec, stages } = specFrom(args, flags, rootfs);
    const container = await start(spec, {
      ...(flags.name === undefined ? {} : { id: flags.name }),
      ...(stages === undefined ? {} : { stages }),
      stdio: [flags.interactive || flags.tty ? 'inherit' : 'ignore', 'inherit', 'inherit'],
    });
    for (const signal of forwarded) process.on(signal, () => container.kill(signal));
    process.on('SIGWINCH', () => container.resize(process.stdout.rows, process.stdout.columns));
    const exit = await container.exit;
    return 'code' in exit ? exit.code : 128 + (constants.signals[exit.signal] ?? 0);
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
