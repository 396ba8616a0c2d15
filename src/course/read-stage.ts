/** A learner's file, read by root without being led elsewhere. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Learner } from './learner.ts';
import { type Problem, StageProblem } from './sandbox.ts';

const MAX_FILE = 256 * 1024;

/**
 * The text of a learner's file. Root reads here what somebody else wrote, so: no symlink, also not on the way there,
 * no hard link to a file of others, no device, of the learner or of whom the folder belongs to.
 *
 * @throws StageProblem
 */
export function readStage(file: string, who: Learner): string {
  const refuse = (message: string, code: Problem['code'] = 'file') =>
    new StageProblem(file, { code, message });
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw refuse('no such file', 'missing');
    throw refuse(code === 'ELOOP' ? 'is a symbolic link; it has to be a file' : (error as Error).message);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw refuse('is not a regular file');
    if (stat.nlink !== 1) throw refuse('has other names (hard links); copy it');
    if (stat.uid !== who.uid && stat.uid !== statSync(dirname(file)).uid)
      throw refuse(`belongs to uid ${stat.uid}, not to ${who.name}`);
    const link = linkOfOthers(dirname(file), who);
    if (link)
      throw refuse(`lies behind ${link}, which is a symbolic link of somebody else; name the folder itself`);
    if (stat.size > MAX_FILE) throw refuse(`has ${stat.size} bytes; ${MAX_FILE} at most`);
    const bytes = Buffer.alloc(MAX_FILE);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, MAX_FILE, 0));
  } finally {
    closeSync(fd);
  }
}

/** Who may place a symlink on the way could hand in what only root, or only a third person, can read. Root's own are fine: /home may be one. */
function linkOfOthers(folder: string, who: Learner): string | undefined {
  const names = resolve(folder).split('/');
  const ways = names.map((_, i) => names.slice(0, i + 1).join('/') || '/');
  return ways.find((way) => {
    const stat = lstatSync(way);
    return stat.isSymbolicLink() && stat.uid !== 0 && stat.uid !== who.uid;
  });
}
