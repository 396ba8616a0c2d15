/** Private copies of the default root file system: whoever has one may do to it what they like. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';

/** @returns the directory it was copied to. */
export function copyRootfs(to: string): string {
  const from = join(packageRoot, 'dist/rootfs/default');
  if (!existsSync(from))
    throw new Error(`${from}: no such directory. Type: sh ${packageRoot}/scripts/set-up`);
  execFileSync('cp', ['-a', '--reflink=auto', `${from}/.`, to], { stdio: ['ignore', 'ignore', 'inherit'] });
  return to;
}
