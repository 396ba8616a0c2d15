/** One blob to a registry: not at all if it is there, by a mount from a neighbour, in one piece, or in chunks that can be resumed. */
import { createReadStream } from 'node:fs';
import type { Store } from '../store/store.ts';
import type { Descriptor } from '../types.ts';
import type { Repository } from './client.ts';
import { RegistryError } from './error.ts';
import type { Answer, Request } from './http.ts';
import type { Listener, Moved } from './progress.ts';
import { retrying } from './retry.ts';

/** What is lost at most when a connection is cut. Up to this size, a blob goes as a whole. */
const CHUNK = 16 << 20;

/** @param from repositories of the same registry that may have it. @throws RegistryError. */
export async function upload(
  repository: Repository,
  store: Store,
  { digest, size }: Descriptor,
  from: readonly string[],
  signal: AbortSignal | undefined,
  { moved, note }: Listener,
): Promise<void> {
  const tell = (done: number, state: Moved['state']) => moved?.({ digest, size, done, state });
  if (await repository.has(digest)) return tell(size, 'present');

  const file = store.blobPath(digest);
  const sending = new Sending({
    repository,
    file,
    digest,
    size,
    signal,
    tell: (done) => tell(done, 'moving'),
  });
  const options = { ...repository.retries, signal, progress: () => sending.done, ...(note && { say: note }) };
  const state = await retrying(() => sending.goOn(from), options);
  tell(size, state);
}

interface Parcel {
  repository: Repository;
  file: string;
  digest: string;
  size: number;
  signal: AbortSignal | undefined;
  tell: (done: number) => void;
}

class Sending {
  readonly #what: Parcel;
  /** Bytes that the registry has said it has. */
  done = 0;
  /** Where the next bytes go; a registry may name another place with each answer. */
  #place: URL | undefined;
  #chunk = CHUNK;
  /** An exchange was cut: how much arrived is the registry's to say. */
  #unsure = false;

  constructor(what: Parcel) {
    this.#what = what;
  }

  async goOn(from: readonly string[]): Promise<'done' | 'mounted' | 'present'> {
    if (this.#place && this.#unsure) await this.#askWhere();
    if (!this.#place) {
      // Also after a finish whose answer was lost.
      if (this.#unsure && (await this.#what.repository.has(this.#what.digest))) return 'present';
      if (await this.#begin(from)) return 'mounted';
    }
    this.#unsure = true;
    while (this.#what.size > this.#chunk && this.done < this.#what.size) await this.#patch();
    await this.#finish();
    return 'done';
  }

  /** @returns whether it is there already, taken from a neighbour. */
  async #begin(from: readonly string[]): Promise<boolean> {
    this.done = 0;
    const query = from.map((name) => `?${new URLSearchParams({ mount: this.#what.digest, from: name })}`);
    for (const mount of [...query, '']) {
      const answer = await this.#ask(`blobs/uploads/${mount}`, { method: 'POST' });
      if (answer.status === 201) return true;
      this.#take(answer);
      if (this.#place) break; // a mount that can't be is an upload that has begun
    }
    return false;
  }

  async #patch(): Promise<void> {
    const end = Math.min(this.done + this.#chunk, this.#what.size);
    const headers = {
      'content-type': 'application/octet-stream',
      'content-range': `${this.done}-${end - 1}`,
    };
    const answer = await this.#ask(
      this.#there(),
      { method: 'PATCH', headers, ...this.#bytes(this.done, end) },
      [400, 405, 416, 501],
    );
    if (answer.status === 202) {
      this.done = end;
      return this.#take(answer);
    }
    if (answer.status === 416) {
      const before = this.done;
      this.#take(answer);
      this.done = standOf(answer);
      if (this.done === before)
        throw new RegistryError(
          `${this.#what.repository}: it takes no chunk after byte ${this.done} of ${this.#what.digest}`,
        );
      return;
    }
    // Not every registry takes chunks: then all at once, from the beginning.
    this.#chunk = Number.POSITIVE_INFINITY;
    this.#place = undefined;
    await this.#begin([]);
  }

  async #finish(): Promise<void> {
    const url = new URL(this.#there());
    url.search += `${url.search ? '&' : '?'}digest=${encodeURIComponent(this.#what.digest)}`;
    const headers = { 'content-type': 'application/octet-stream' };
    await this.#ask(url, { method: 'PUT', headers, ...this.#bytes(this.done, this.#what.size) });
  }

  async #askWhere(): Promise<void> {
    const answer = await this.#ask(this.#there(), {}, [404]);
    // A piece that was cut inside a blob sent whole can't be gone on with: only chunks say where they begin.
    if (answer.status === 404 || this.#what.size <= this.#chunk) this.#place = undefined;
    else {
      this.done = Math.min(standOf(answer), this.#what.size);
      this.#take(answer);
    }
  }

  #there(): URL {
    if (!this.#place)
      throw new RegistryError(
        `${this.#what.repository}: it names no place for the upload of ${this.#what.digest}`,
      );
    return this.#place;
  }

  #take({ headers }: Answer): void {
    const said = headers.get('location');
    if (said !== null) this.#place = this.#what.repository.place(said, 'upload location');
    const least = Number(headers.get('oci-chunk-min-length') ?? 0);
    if (Number.isSafeInteger(least)) this.#chunk = Math.max(this.#chunk, least);
  }

  async #ask(to: string | URL, request: Request, fine: readonly number[] = []): Promise<Answer> {
    const answer = await this.#what.repository.ask(to, { ...request, signal: this.#what.signal }, fine);
    await answer.drop();
    return answer;
  }

  /** As a body that can be made again. */
  #bytes(start: number, end: number): Pick<Request, 'body' | 'length'> {
    if (start === end) return {};
    const { file, tell } = this.#what;
    const body = async function* () {
      let at = start;
      for await (const chunk of createReadStream(file, { start, end: end - 1, highWaterMark: 1 << 18 })) {
        yield chunk;
        at += chunk.length;
        tell(at);
      }
    };
    return { body, length: end - start };
  }
}

/** distribution-spec: `Range: 0-LAST`; nothing at all is 0-0 as well. */
function standOf({ headers }: Answer): number {
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(headers.get('range') ?? '')?.[1] ?? 0);
  return last === 0 ? 0 : last + 1;
}
