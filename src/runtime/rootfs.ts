/** Private copies of the default root file system: whoever has one may do to it what they like. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inUserNamespace } from '../facts/userns.ts';
import { packageRoot } from '../package-root.ts';

/** @returns the directory it was copied to. */
export function copyRootfs(to: string): string {
  const from = join(packageRoot, 'dist/rootfs/default');
  if (!existsSync(from))
    throw new Error(`${from}: no such directory. Type: sh ${packageRoot}/scripts/set-up`);
  // In a user namespace the files' own root is nobody who could be given them.
  const owner = inUserNamespace() ? ['--no-preserve=ownership'] : [];
  execFileSync('cp', ['-a', ...owner, '--reflink=auto', `${from}/.`, to], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return to;
}
