/** Root file systems made as LXC's templates make them: a folder, once, from what is at hand. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { programPath } from '../facts/programs.ts';
import { packageRoot } from '../package-root.ts';

export interface Wish {
  /** Absolute; it is not there, or empty. */
  readonly folder: string;
  /** Programs of the host to be copied besides the usual ones. */
  readonly programs: readonly string[];
  /** Of the distribution, such as `bookworm`. */
  readonly suite: string;
}

type Template = (wish: Wish) => void;

/** Whatever else is named is an image. */
export const templates: Readonly<Record<string, Template>> = {
  busybox: ({ folder }) => recipe('busybox', folder),
  host: ({ folder, programs }) => recipe('host', folder, ...programs),
  debootstrap({ folder, suite }) {
    const program = programPath('debootstrap');
    if (program === undefined)
      throw new Error('--from debootstrap: this host has none. Type: sudo apt-get install debootstrap');
    if (process.geteuid?.() !== 0) throw new Error('--from debootstrap: only root can. Use sudo');
    perform(program, '--variant=minbase', suite, folder);
  },
};

/** @throws Error for a folder that has something in it: what is there is not for us to replace. */
export function emptyFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Error(`${folder}: it is not empty; name another folder, or one that is not there yet`);
  mkdirSync(dirname(folder), { recursive: true });
}

const recipe = (name: string, folder: string, ...more: string[]) =>
  perform('/bin/sh', join(packageRoot, 'rootfs-fixtures', name), folder, ...more);

function perform(program: string, ...args: string[]): void {
  const { status, signal, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw new Error(`${program}: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args[0]}: it ended with ${signal ?? `status ${status}`}`);
}
