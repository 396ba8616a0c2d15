/** Between create and start: the process waits for a word, and what goes wrong after it is told to whoever said it. */
import { closeSync, constants, existsSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { stateFolder } from './folders.ts';
import { LifecycleError } from './lifecycle-error.ts';

const S_IFIFO = 0o010000;

/** What goes wrong between that word and the program is told through it. */
const resultOf = (id: string) => join(stateFolder, `${id}.result`);

/** The word to start arrives through it; as long as it is there, the container is created and not started. */
const fifoOf = (id: string) => join(stateFolder, `${id}.start`);

export const isWaiting = (id: string): boolean => existsSync(fifoOf(id));

export function fifos(id: string): Step[] {
  const common = { at: 'host', phase: 'prepare', from: { lesson: 'runtime' } } as const;
  const make = { ...common, kind: 'mknod', mode: S_IFIFO | 0o600, major: 0, minor: 0 } as const;
  // For both directions, so that it can be read before anybody writes (fifo(7)).
  const open = { ...common, kind: 'open', flags: ['O_RDWR'] } as const;
  return [
    { ...make, path: fifoOf(id), undo: { kind: 'unlink', path: fifoOf(id) } },
    { ...make, path: resultOf(id), undo: { kind: 'unlink', path: resultOf(id) } },
    { ...open, path: fifoOf(id), as: 'start' },
    { ...open, path: resultOf(id), as: 'result' },
  ];
}

/** What would make the program's start go wrong is found now, while there is somebody to tell. */
export function waiting(spec: Spec): Step[] {
  const { args = [], env = [] } = spec.process ?? {};
  const common = { at: 'child', phase: 'start', from: { lesson: 'runtime' } } as const;
  return [
    {
      ...common,
      kind: 'lookup',
      from: { lesson: 'runtime', field: 'process.args' },
      program: args[0] ?? '',
      envp: env,
    },
    { ...common, kind: 'await', fd: 'start', result: 'result' },
  ];
}

/**
 * Says the word; resolves when the program runs. Of several who want to, one does: who has taken the name away.
 *
 * @throws LifecycleError for all others, and when the program can't be run after all.
 */
export async function sayStart(id: string): Promise<void> {
  const tooLate = () => new LifecycleError(`cannot start a container that is not created any more: ${id}`);
  const result = openOr(tooLate, resultOf(id), constants.O_RDONLY | constants.O_NONBLOCK);
  // Without O_NONBLOCK this would wait for ever if the process died a moment ago (fifo(7)): now it is ENXIO.
  const word = openOr(tooLate, fifoOf(id), constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    rmSync(fifoOf(id));
  } catch {
    throw tooLate();
  }
  writeSync(word, '!');
  closeSync(word);
  const failure = await readToEnd(result);
  if (failure !== '') throw new LifecycleError(`${id}: ${failure.trim()}`);
}

function openOr(otherwise: () => Error, path: string, flags: number): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    if (['ENOENT', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw otherwise();
    throw error;
  }
}

/** Its end is the exec's doing: the descriptor is close-on-exec. */
async function readToEnd(fd: number): Promise<string> {
  const bytes = Buffer.alloc(1024);
  for (let text = ''; ; ) {
    try {
      const got = readSync(fd, bytes);
      if (got === 0) {
        closeSync(fd);
        return text;
      }
      text += bytes.toString('utf8', 0, got);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await sleep(1);
    }
  }
}
