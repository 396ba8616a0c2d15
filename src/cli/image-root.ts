/** A container of an image: which image, what it says about containers, and their folders. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Asked, anonymousVolumes, applyImage, argsOf } from '../image/container.ts';
import { stillThere } from '../image/find.ts';
import { copyReason, makeFolders } from '../image/folders.ts';
import { mergeLayers } from '../image/merge.ts';
import { Store } from '../image/store/store.ts';
import { findUser } from '../image/users.ts';
import { volumeMount, withPlainIds } from '../image/volumes.ts';
import { packageRoot } from '../package-root.ts';
import { giveToNamespace } from '../runtime/owners.ts';
import { signalNumber } from '../runtime/signal.ts';
import type { Root } from './commands/run.ts';
import { imageFor } from './image-for.ts';
import type { SpecFlags } from './spec-flags.ts';
import { specFrom, variables } from './spec-from.ts';

/** @throws Error if there is no such image, or it can't be run as asked. */
export async function rootOfImage([name = '', ...command]: string[], flags: SpecFlags): Promise<Root> {
  const hint = isProgram(name) ? meantAsProgram(name, command) : undefined;
  const found = await imageFor(name, flags.pull, hint);
  const { image, layers } = found;
  const { config = {} } = image.config;
  const asked: Asked = {
    command,
    env: variables(flags),
    ...(flags.entrypoint === undefined ? {} : { entrypoint: flags.entrypoint }),
    ...(flags.workdir === undefined ? {} : { workdir: flags.workdir }),
  };
  const args = argsOf(config, asked, name);
  if (config.StopSignal) signalNumber(config.StopSignal); // one that nobody can send is told now
  const who = flags.user ?? config.User ?? '';
  const user = who === '' ? undefined : findUser(who, layers);
  const { user: _, env: __, ...others } = flags;
  return (folder) => {
    const { spec, stages } = specFrom(args, others, folder.rootfs);
    const copied = copyReason(folder, layers, spec);
    applyImage(spec, image, copied === undefined ? { ...folder, layers } : undefined, asked, user);
    const anonymous = anonymousVolumes(config, spec).map((path, i) => {
      const mount = volumeMount(join(folder.volumes, String(i)), path, ['rw']);
      return withPlainIds(mount, spec);
    });
    spec.mounts = [...(spec.mounts ?? []), ...anonymous];
    const fill = async () => {
      using store = new Store();
      // A copy is not written down as needing them, and takes its time.
      if (copied !== undefined) store.hold();
      stillThere(found);
      makeFolders(
        folder,
        layers,
        anonymous.map(({ source = '' }) => source),
      );
      if (copied === undefined) return;
      console.error(`tslab: note: ${copied}: this container gets a copy of the whole image`);
      await mergeLayers(layers, folder.rootfs, spec.linux);
      giveToNamespace(folder.rootfs, spec);
    };
    return { spec, stages, fill };
  };
}

/** Also the name of an image that many have: busybox itself. */
const isProgram = (name: string) =>
  /^[./]/.test(name) ||
  (name !== 'busybox' && existsSync(join(packageRoot, 'dist/rootfs/default/bin', name)));

/** Whoever forgot the `--`. */
function meantAsProgram(name: string, command: readonly string[]): string {
  const typed = process.argv.slice(2).map(quoted);
  const line = typed.toSpliced(-command.length - 1, 0, '--').join(' ');
  return `For the program ${name} in the default root file system, type: tslab ${line}`;
}

const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
