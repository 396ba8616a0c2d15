/** Removes a folder that containers have filled, and nothing that is only shown there. */
import { rmSync } from 'node:fs';
import { mountinfo } from '../evidence/mountinfo.ts';

/**
 * A bind mount on the same file system looks like any directory to rm(1) and rmSync, and may be the host's `/`.
 *
 * @throws Error if something is mounted in it.
 */
export function removeTree(folder: string): void {
  const mounted = mountinfo('self').find(({ at }) => at === folder || at.startsWith(`${folder}/`));
  if (mounted)
    throw new Error(`${folder}: not removed, as ${mounted.at} is a mount; type: umount -R ${mounted.at}`);
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
