/** One blob into the store: what an earlier try left is kept, a cut connection goes on where it was cut. */
import type { Ingest } from '../store/ingest.ts';
import type { Store } from '../store/store.ts';
import type { Descriptor } from '../types.ts';
import type { Repository } from './client.ts';
import { RegistryError } from './error.ts';
import type { Answer } from './http.ts';
import type { Listener } from './progress.ts';
import { retrying } from './retry.ts';

/**
 * @throws RegistryError. Whatever ends it, what came stays for the next try, unless it is wrong.
 */
export async function download(
  repository: Repository,
  store: Store,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
  { moved, note }: Listener,
): Promise<void> {
  const { digest, size } = descriptor;
  const tell = (done: number, state: 'present' | 'moving' | 'done') => moved?.({ digest, size, done, state });
  if (store.has(digest)) return tell(size, 'present');

  let ingest = store.ingest(descriptor);
  let done = ingest.offset;
  /** Bytes of an earlier process's: if the whole is wrong, they may be to blame. */
  let inherited = done > 0;
  const restart = () => {
    // Twice if another process has just left what it had.
    do {
      ingest.discard();
      ingest = store.ingest(descriptor);
    } while (ingest.offset > 0);
    done = 0;
    inherited = false;
  };
  const attempt = async () => {
    signal?.throwIfAborted();
    tell(done, 'moving');
    if (done < size) {
      const answer = await repository.blob(digest, done, signal);
      if (!(await isRest(answer, done, size))) restart();
      await receive(answer);
    }
    commit(ingest, inherited);
  };
  const receive = async (answer: Answer) => {
    const from = done;
    const said = Number(answer.headers.get('content-length') ?? size - from);
    if (from + said > size) {
      await answer.drop();
      throw new RegistryError(
        `${repository}: the blob ${digest} is to have ${size} bytes, and ${from + said} are sent`,
      );
    }
    for await (const chunk of answer.chunks()) {
      signal?.throwIfAborted();
      ingest.write(chunk);
      done += chunk.length;
      tell(done, 'moving');
    }
    if (done < size)
      throw new RegistryError(`${repository}: the blob ${digest} ended after ${done} of ${size} bytes`, {
        temporary: true,
      });
  };
  try {
    await retrying(
      async () => {
        try {
          await attempt();
        } catch (error) {
          if (error instanceof WrongBytes) restart();
          throw error;
        }
      },
      { ...repository.retries, signal, progress: () => done, ...(note && { say: note }) },
    );
  } catch (error) {
    ingest.keep();
    throw error;
  }
  tell(size, 'done');
}

/** What an earlier process left may have been spoilt since: then, once, from the beginning. */
class WrongBytes extends RegistryError {}

function commit(ingest: Ingest, inherited: boolean): void {
  try {
    ingest.commit();
  } catch (error) {
    throw inherited ? new WrongBytes((error as Error).message, { temporary: true, after: 0 }) : error;
  }
}

/** @returns whether it goes on where we are: a server may ignore Range, and 416 says that it has no such place. */
async function isRest(answer: Answer, done: number, size: number): Promise<boolean> {
  if (answer.status === 200) return done === 0;
  if (answer.status === 416) {
    await answer.drop();
    throw new WrongBytes(`${answer.url.host}: it has nothing after byte ${done}`, {
      temporary: true,
      after: 0,
    });
  }
  const [, first, last] =
    /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(answer.headers.get('content-range') ?? '') ?? [];
  if (answer.status === 206 && Number(first) === done && Number(last) < size) return true;
  await answer.drop();
  throw new RegistryError(`${answer.url.host}: asked for the bytes from ${done} on, it answers with others`);
}
