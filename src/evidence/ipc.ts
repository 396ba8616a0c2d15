/** What an IPC namespace holds (ipc_namespaces(7)), as one of the host's programs sees it that goes into it. */
import { execFileSync } from 'node:child_process';
import { programPath } from '../facts/programs.ts';

/**
 * The POSIX message queues of a process's IPC namespace. They are listed by an mqueue file system alone, and one that
 * the process shows may be another namespace's: so a new one is mounted, where nobody else sees it.
 *
 * @returns undefined where the host has no nsenter(1) or unshare(1). @throws Error once the process is gone.
 */
export function messageQueues(pid: number): string[] | undefined {
  const [nsenter, unshare] = [programPath('nsenter'), programPath('unshare')];
  if (!nsenter || !unshare) return undefined;
  // Any directory will do to mount on, as this list of mounts ends with the command.
  const list = ['sh', '-ec', 'mount -t mqueue queues /tmp; ls -A /tmp'];
  const argv = [`--target=${pid}`, '--ipc', '--', unshare, '--mount', '--', ...list];
  return execFileSync(nsenter, argv, { encoding: 'utf8' }).split('\n').filter(Boolean);
}
