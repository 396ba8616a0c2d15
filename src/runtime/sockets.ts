/** Descriptors for whoever will look after a process that the launcher leaves. */
import type { Process } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { LifecycleError } from './lifecycle-error.ts';

export interface Sockets {
  /** A unix socket that gets the terminal's master side. */
  consoleSocket?: string;
  /** A unix socket that gets a pidfd of the process. */
  pidfdSocket?: string;
}

/**
 * What the caller gets by socket.
 *
 * @param attended somebody stays here, and can hold the terminal's other side.
 * @throws LifecycleError when there is a terminal and nobody to have it, or the other way round.
 */
export function socketSteps(
  process: Pick<Process, 'terminal'> | undefined,
  { consoleSocket, pidfdSocket }: Sockets,
  attended = false,
): Step[] {
  if (process?.terminal && consoleSocket === undefined && !attended)
    throw new LifecycleError(
      'process.terminal is true, so it takes --console-socket: somebody has to hold its other side',
    );
  if (!process?.terminal && consoleSocket !== undefined)
    throw new LifecycleError(
      '--console-socket: process.terminal is not true, so there is no terminal to send',
    );
  const common = { at: 'host', phase: 'terminal', kind: 'sendfd', from: { lesson: 'runtime' } } as const;
  return [
    ...(consoleSocket === undefined
      ? []
      : [{ ...common, path: consoleSocket, pass: 'ptmx', parts: ['/dev/ptmx'] } as const]),
    ...(pidfdSocket === undefined
      ? []
      : [{ ...common, path: pidfdSocket, pass: 'child', parts: ['pidfd'] } as const]),
  ];
}
