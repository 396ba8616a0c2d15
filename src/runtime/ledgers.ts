/** The ledgers of this user's containers, and playing those whose launcher died. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { launcherPath } from '../launch/launcher.ts';
import { stateFolder } from './folders.ts';

export function ledgerFor(id: string): string {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  return join(stateFolder, `${id}.ledger`);
}

export interface Played {
  path: string;
  outcome: 'undone' | 'left' | 'alive';
  /** Why something is left. */
  said: string;
}

/** Plays one ledger backwards, unless its own launcher still lives. */
export function playLedger(path: string): Played {
  const { status, stderr } = spawnSync(launcherPath, ['--undo', path], { encoding: 'utf8' });
  const outcome = status === 0 ? 'undone' : status === 1 ? 'alive' : 'left';
  return { path, outcome, said: (stderr ?? '').trim() };
}

/** Plays every ledger whose launcher was killed. */
export function playOrphans(): Played[] {
  if (!existsSync(stateFolder)) return [];
  return readdirSync(stateFolder)
    .filter((name) => name.endsWith('.ledger'))
    .map((name) => join(stateFolder, name))
    .map(playLedger)
    .filter(({ outcome }) => outcome !== 'alive');
}
