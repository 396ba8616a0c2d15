/** Stays with a container in the foreground: signals and window size go in, the exit status comes out. */
import { constants } from 'node:os';
import { exitCode } from '../runtime/exit.ts';
import type { Container } from '../runtime/run.ts';

/** Passed on to the program; the terminal's own Ctrl-C and Ctrl-\ arrive here as well. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * Who hears from the program that it runs may answer by a signal before we have heard of it: so we listen before it starts. What
 * comes too early waits for it; of a kind that comes again, we end, and the launcher takes all back.
 *
 * @returns what a shell would have in $?.
 */
export async function attend(begin: () => Promise<Container>): Promise<number> {
  let container: Container | undefined;
  const early: NodeJS.Signals[] = [];
  const kill = (signal: NodeJS.Signals) => {
    if (container) container.kill(signal);
    else if (early.includes(signal)) process.exit(128 + constants.signals[signal]);
    else early.push(signal);
  };
  const resize = () => container?.resize(process.stdout.rows, process.stdout.columns);
  for (const signal of forwarded) process.on(signal, kill);
  process.on('SIGWINCH', resize);
  try {
    container = await begin();
    for (const signal of early) container.kill(signal);
    return exitCode(await container.exit);
  } finally {
    for (const signal of forwarded) process.off(signal, kill);
    process.off('SIGWINCH', resize);
  }
}
