/** The ledgers of this user's containers, and playing those whose launcher died. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { launcherPath } from '../launch/launcher.ts';
import { stateFolder } from './folders.ts';

export const ledgerPath = (id: string): string => join(stateFolder, `${id}.ledger`);

/** For whoever makes one. @throws Error if its folder can't be made. */
export function ledgerFor(id: string): string {
  makeFolder(stateFolder);
  return ledgerPath(id);
}

/** The process id of the launcher that made it; undefined if it is not there any more. See native/README.md. */
export function launcherOf(path: string): number | undefined {
  try {
    const bytes = readFileSync(path);
    return bytes.length < 20 ? undefined : bytes.readUInt32LE(16);
  } catch {
    return undefined;
  }
}

/** Not by `recursive`: where nothing can be made below what is there, such as in /proc, that goes on for ever. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolder(dirname(path));
    makeFolder(path);
  }
}

export interface Played {
  path: string;
  /** `gone`: somebody else has played it. */
  outcome: 'undone' | 'left' | 'alive' | 'gone';
  /** Why something is left. */
  said: string;
}

/** Plays one ledger backwards, unless its own launcher still lives. */
export function playLedger(path: string): Played {
  const { status, stderr } = spawnSync(launcherPath, ['--undo', path], { encoding: 'utf8' });
  const rest = existsSync(path) ? 'left' : 'gone';
  const outcome = status === 0 ? 'undone' : status === 1 ? 'alive' : rest;
  return { path, outcome, said: (stderr ?? '').trim() };
}

/** Plays every ledger whose launcher was killed. */
export function playOrphans(): Played[] {
  if (!existsSync(stateFolder)) return [];
  return readdirSync(stateFolder)
    .filter((name) => name.endsWith('.ledger'))
    .map((name) => join(stateFolder, name))
    .map(playLedger)
    .filter(({ outcome }) => outcome !== 'alive' && outcome !== 'gone');
}
