/** HOME, where an engine leaves it to the runtime: from the container's own /etc/passwd, as crun and runc do. */
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Process } from '../oci/spec.ts';
import { readPlain } from './plain-file.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

/** @param root its root file system, whose content is anybody's: none of its symlinks is followed. */
export function withHome(process: Process, root: string): Process {
  const { env = [], user } = process;
  if (env.some((entry) => entry.startsWith('HOME='))) return process;
  return { ...process, env: [...env, `HOME=${homeOf(user?.uid ?? 0, passwdOf(root))}`] };
}

/** passwd(5): name:password:uid:gid:comment:home:shell. Who is not there has the root directory. */
function homeOf(uid: number, passwd: string): string {
  const fields = passwd.split('\n').map((line) => line.split(':'));
  return fields.find(([, , id]) => id === `${uid}`)?.[5] || '/';
}

function passwdOf(root: string): string {
  let etc: number;
  try {
    etc = openSync(join(root, 'etc'), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch {
    return ''; // it has none, or we may not look
  }
  try {
    return readPlain(`/proc/self/fd/${etc}/passwd`) ?? '';
  } finally {
    closeSync(etc);
  }
}
