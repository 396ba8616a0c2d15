/** Times programs: for the bench itself, and as a program of its own for those who can only be run in another namespace. */
import { spawn } from 'node:child_process';

export interface Order {
  file: string;
  args: string[];
}
export type Answer = { ms: number } | { error: string };

export const timed = (action: () => Promise<void>) => async (): Promise<number> => {
  const begun = performance.now();
  await action();
  return performance.now() - begun;
};

/**
 * @returns milliseconds from the spawn to the end of its output.
 * @throws Error unless it succeeds: a failure is no figure.
 */
export const command = (file: string, args: string[]): Promise<number> => timed(() => succeed(file, args))();

function succeed(file: string, args: string[]): Promise<void> {
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${file}: ${signal ?? code} ${said.trim()}`)),
    );
  });
}

// Started as a program: one order after the other, until the channel closes.
if (process.argv[2] === 'orders')
  process.on('message', async ({ file, args }: Order) => {
    const answer = command(file, args).then(
      (ms): Answer => ({ ms }),
      (error: Error): Answer => ({ error: error.message }),
    );
    process.send?.(await answer);
  });
