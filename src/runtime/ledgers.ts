/** The ledgers of this user's containers, and playing those whose launcher died. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { launcherPath } from '../launch/launcher.ts';

/** Volatile on purpose: after a reboot, what a ledger would undo is gone as well. */
export const stateFolder =
  process.geteuid?.() === 0
    ? '/run/tslab'
    : join(process.env.XDG_RUNTIME_DIR ?? `/tmp/tslab-${process.geteuid?.()}`, 'tslab');

export function ledgerFor(id: string): string {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  return join(stateFolder, `${id}.ledger`);
}

/** Plays one ledger backwards. The launcher refuses one whose own launcher still lives. */
export function playLedger(path: string): { undone: boolean; said: string } {
  const { status, stderr } = spawnSync(launcherPath, ['--undo', path], { encoding: 'utf8' });
  return { undone: status === 0, said: (stderr ?? '').trim() };
}

/** Every ledger that is there, with what became of it. */
export function playOrphans(): { path: string; undone: boolean; said: string }[] {
  if (!existsSync(stateFolder)) return [];
  return readdirSync(stateFolder)
    .filter((name) => name.endsWith('.ledger'))
    .map((name) => join(stateFolder, name))
    .map((path) => ({ path, ...playLedger(path) }));
}
