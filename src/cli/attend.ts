/** Stays with a container in the foreground: signals and window size go in, the exit status comes out. */
import { exitCode } from '../runtime/exit.ts';
import type { Container } from '../runtime/run.ts';

/** Passed on to the program; the terminal's own Ctrl-C and Ctrl-\ arrive here as well. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Returns what a shell would have in $?. */
export async function attend(container: Container): Promise<number> {
  const kill = (signal: NodeJS.Signals) => container.kill(signal);
  const resize = () => container.resize(process.stdout.rows, process.stdout.columns);
  for (const signal of forwarded) process.on(signal, kill);
  process.on('SIGWINCH', resize);
  try {
    return exitCode(await container.exit);
  } finally {
    for (const signal of forwarded) process.off(signal, kill);
    process.off('SIGWINCH', resize);
  }
}
