/** tslab run: a command in a container. */
import type { Command } from 'commander';
import type { Spec } from '../../oci/spec.ts';
import type { Folder } from '../../runtime/containers.ts';
import type { Exit } from '../../runtime/exit.ts';
import type { Container } from '../../runtime/run.ts';
import type { Stage } from '../../steps/stage.ts';
import { addSpecFlags, type SpecFlags } from '../spec-flags.ts';

export interface RunFlags extends SpecFlags {
  stages?: string;
  detach?: boolean;
  rm?: boolean;
}

export const command = (program: Command): void => {
  addSpecFlags(program.command('run'))
    .description(
      'run a new container of an image: tslab run IMAGE [COMMAND]; or, after --, a command in the default root file system',
    )
    .option('-d, --detach', 'leave it running; its output goes to tslab logs')
    .option('--stages <dir>', 'your own stages, such as ~/tslab, in place of the lessons’')
    .option('--rm', 'remove it when it ends; one in the foreground, and of no image, always is')
    .action(async (args: string[], flags: RunFlags) => {
      process.exitCode = await run(args, flags);
    });
};

async function run(args: string[], flags: RunFlags): Promise<number> {
  const { attend } = await import('../attend.ts');
  if (flags.tty && !flags.detach && !process.stdin.isTTY)
    throw new Error('--tty: standard input is no terminal');
  if (!flags.detach) return await attend(() => begin(args, flags));
  const container = await begin(args, flags);
  container.release();
  console.log(container.id);
  return 0;
}

const warn = (text: string) => console.error(`tslab: warning: ${text}`);

/** What outlives its processes, or is made for it alone, needs a folder. */
async function begin(args: string[], flags: RunFlags): Promise<Container> {
  const { newId, start } = await import('../../runtime/run.ts');
  const { specFrom } = await import('../spec-from.ts');
  const id = newId(flags.name);
  if (namesImage(args, flags)) {
    const { rootOfImage } = await import('../image-root.ts');
    return await beginInFolder(id, flags, await rootOfImage(args, flags), !flags.rm);
  }
  if (flags.rootfs === undefined || flags.detach) {
    const stays = flags.detach === true && !flags.rm;
    return await beginInFolder(id, flags, await rootOfOwn(args, flags), stays);
  }
  const { spec, stages } = specFrom(args, flags, flags.rootfs);
  const replace = await replacement(flags);
  if (flags.volume) await makeVolumes(spec);
  return await start(spec, { id, stages, replace, stdio: foreground(flags), warn });
}

/** The first word is an image's name, but where there is a root file system already, or right after a `--`. */
export function namesImage(args: string[], { rootfs, lesson }: SpecFlags): boolean {
  return rootfs === undefined && lesson === undefined && process.argv.at(-args.length - 1) !== '--';
}

/** Says what the container is to be, and fills its folder; in that order, so that a folder tells whose it is. */
export type Root = (folder: Folder) => {
  readonly spec: Spec;
  readonly stages: readonly Stage[];
  readonly fill: () => void | Promise<void>;
};

async function rootOfOwn(args: string[], flags: RunFlags): Promise<Root> {
  const { specFrom } = await import('../spec-from.ts');
  const { giveToNamespace } = await import('../../runtime/owners.ts');
  const { copyRootfs } = await import('../../runtime/rootfs.ts');
  return ({ rootfs }) => {
    const { spec, stages } = specFrom(args, flags, flags.rootfs ?? rootfs);
    const fill = () => {
      if (flags.rootfs === undefined) giveToNamespace(copyRootfs(rootfs), spec);
    };
    return { spec, stages, fill };
  };
}

async function makeVolumes(spec: Spec): Promise<void> {
  const { makeVolumes } = await import('../../image/volumes.ts');
  makeVolumes(spec);
}

/** @param stays when it has ended, for `commit`, `diff`, `start`, until `rm`. */
async function beginInFolder(id: string, flags: RunFlags, root: Root, stays: boolean): Promise<Container> {
  const { openSync, writeFileSync } = await import('node:fs');
  const { describe, makeFolder, owned, removeContainer } = await import('../../runtime/containers.ts');
  const { statusOf } = await import('../../runtime/exit.ts');
  const { keepRemoval } = await import('../../runtime/removal.ts');
  const { start } = await import('../../runtime/run.ts');
  const folder = makeFolder(id);
  try {
    const { spec, stages, fill } = root(folder);
    const replace = await replacement(flags);
    describe(id, spec);
    await fill();
    if (flags.volume) await makeVolumes(spec);
    const removal = keepRemoval(folder, spec);
    const before = stays ? [] : [...owned(folder), ...removal];
    if (!flags.detach) {
      const container = await start(spec, { id, stages, replace, before, stdio: foreground(flags), warn });
      const save = (exit: Exit) => writeFileSync(folder.status, String(statusOf(exit)), { mode: 0o600 });
      if (stays) container.exit.then(save, () => {});
      return container;
    }
    const log = openSync(folder.log, 'a', 0o600);
    const detach = { status: folder.status };
    return await start(spec, { id, stages, replace, before, stdio: ['ignore', log, log], detach, warn });
  } catch (error) {
    removeContainer(id);
    throw error;
  }
}

const replacement = async ({ stages }: RunFlags) =>
  stages === undefined ? undefined : (await import('../../course/own-stages.ts')).ownStages(stages);

const foreground = (flags: RunFlags) =>
  [flags.interactive || flags.tty ? 'inherit' : 'ignore', 'inherit', 'inherit'] as const;
