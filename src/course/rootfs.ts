/** Folders for the private root file systems of scenes and attempts. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dataFolder } from '../runtime/folders.ts';
import { removeTree } from '../runtime/remove-tree.ts';
import { endAll, processesMarked } from './processes.ts';

const parent = join(dataFolder, 'course');

/** A folder of this process; a later tslab removes what one that was killed left. */
export function ownFolder(): string {
  sweep();
  mkdirSync(parent, { recursive: true, mode: 0o711 });
  const folder = mkdtempSync(join(parent, `${process.pid}-`));
  chmodSync(folder, 0o755); // for who is root in a user namespace only
  return folder;
}

export function removeFolder(folder: string): void {
  removeTree(folder);
  try {
    rmdirSync(parent);
  } catch {
    // another tslab is at work there
  }
}

/**
 * What a tslab left that was killed: its folder's name begins with its pid, and is in the environment of its shells.
 * Returns what it removed.
 */
export function sweep(): string[] {
  const names = existsSync(parent) ? readdirSync(parent) : [];
  const orphans = names.filter((name) => !existsSync(`/proc/${name.split('-')[0]}`));
  for (const name of orphans) {
    endAll(processesMarked(markOf(name)));
    removeTree(join(parent, name));
  }
  return orphans.map((name) => join(parent, name));
}

/** A variable that all processes of a folder's scenes carry, so that none can get lost. */
export const markOf = (folder: string): string => `TSLAB_SCENE=${basename(folder)}`;
