/** A container held still while its files are read. */

import type { CgroupDirectories } from '../steps/cgroup/place.ts';
import { directoriesOf, freeze, isFrozen, thaw } from './cgroup.ts';
import type { State } from './state.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * One that was paused before stays so afterwards; one that nothing can freeze goes on meanwhile.
 *
 * @param note is told why it goes on.
 */
export async function whilePaused<T>(
  state: State,
  work: () => Promise<T>,
  note: (text: string) => void,
): Promise<T> {
  const directories = await hold(state, note);
  if (!directories) return await work();
  // Nobody else would let it go on.
  const stop = (name: NodeJS.Signals) => {
    void thaw(directories); // its first act is to say so, at once
    for (const one of signals) process.off(one, stop);
    process.kill(process.pid, name);
  };
  for (const name of signals) process.on(name, stop);
  try {
    return await work();
  } finally {
    for (const name of signals) process.off(name, stop);
    await thaw(directories);
  }
}

/** @returns undefined if there is nothing to let go of afterwards. */
async function hold(state: State, note: (text: string) => void): Promise<CgroupDirectories | undefined> {
  try {
    const directories = directoriesOf(state);
    if (isFrozen(directories)) return undefined;
    await freeze(directories);
    return directories;
  } catch (error) {
    note(`${(error as Error).message}: it goes on, and of what it writes meanwhile a part may be missing`);
    return undefined;
  }
}
