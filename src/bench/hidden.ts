/** crun takes a host with a v2 tree beside v1 controllers for broken. Where it sees no v2 tree, it runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import type { Answer, Order } from './stopwatch.ts';

const UNIFIED = '/sys/fs/cgroup/unified';

/**
 * A process like this one in a mount namespace without that tree. It does the spawning and the timing there, so that what
 * hiding costs is in no figure. Nothing on hosts that have no such tree.
 */
export function withoutUnifiedTree() {
  if (!existsSync(UNIFIED)) return undefined;
  const stopwatch = join(packageRoot, 'dist/bench/stopwatch.js');
  const script = `umount ${UNIFIED} && exec "$@"`;
  const words = ['--mount', 'sh', '-c', script, 'sh', process.execPath, stopwatch, 'orders'];
  const there = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const gone = once(there, 'exit').then(([code, signal]): [Answer] => [
    { error: `unshare: it ended (${signal ?? code}); hiding ${UNIFIED} takes root` },
  ]);
  gone.catch(() => {}); // unshare is not there: whoever gives an order hears of it
  return {
    async command(file: string, args: string[]): Promise<number> {
      const answered = once(there, 'message');
      if (there.connected) there.send({ file, args } satisfies Order);
      const [answer] = (await Promise.race([answered, gone])) as [Answer];
      if ('error' in answer) throw new Error(answer.error);
      return answer.ms;
    },
    end: () => {
      if (there.connected) there.disconnect();
    },
  };
}
