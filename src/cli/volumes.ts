/** What the volume commands have in common. */
import { stages } from '../../lessons/index.ts';
import { type Volume, volumeOf, volumes } from '../image/volumes.ts';
import type { Spec } from '../oci/spec.ts';
import { containers } from '../runtime/containers.ts';
import { removeTree } from '../runtime/remove-tree.ts';
import { run } from '../runtime/run.ts';
import { setUserns } from './userns-flags.ts';

export { volumes };

/** Names of the containers, running or not, whose config mounts it. */
export const users = (name: string): string[] =>
  containers()
    .filter(({ spec }) => spec.mounts?.some((mount) => volumeOf(mount) === name))
    .map(({ id }) => id);

/** @throws Error if there is none of this name. */
export function existing(name: string): Volume {
  const found = volumes().find((volume) => volume.name === name);
  if (!found) throw new Error(`volume ${name}: there is none; tslab volume ls lists them`);
  return found;
}

/** @throws Error if a container uses it. */
export async function removeUnused({ name, folder }: Volume): Promise<void> {
  const [user] = users(name);
  if (user !== undefined)
    throw new Error(`volume ${name}: container ${user} uses it; tslab rm ${user} first`);
  try {
    removeTree(folder);
  } catch (error) {
    if (
      process.geteuid?.() === 0 ||
      !['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
    )
      throw error;
    await removeAsOwnRoot(folder);
  }
}

/** An ordinary user's containers leave files of ids that only root of the same user namespace may remove. */
async function removeAsOwnRoot(folder: string): Promise<void> {
  const spec: Spec = {
    ociVersion: '1.3.0',
    process: { args: ['rm', '-rf', '--', folder], cwd: '/', env: ['PATH=/usr/bin:/bin'] },
  };
  setUserns(spec, {});
  await run(spec, { stages: stages.filter(({ id }) => id === 'process' || id === 'user') });
}
