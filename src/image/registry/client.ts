/** One repository of one registry, by the OCI distribution-spec 1.1: what is asked, and what an answer must be to be believed. */

import type { Reference } from '../reference.ts';
import { digestOf, isDigest } from '../store/digest.ts';
import { mediaTypes } from '../types.ts';
import type { Credentials } from './credentials.ts';
import { RegistryError } from './error.ts';
import { type Answer, exchange, type Request } from './http.ts';
import { Login } from './login.ts';
import { refusal } from './refusal.ts';
import { type Patience, patience, retrying } from './retry.ts';
import { originOf, placeNamedBy } from './where.ts';

export interface Options {
  credentials?: Credentials | undefined;
  /** Plain http, to any host; loopback has it anyway. */
  plain?: boolean;
  signal?: AbortSignal | undefined;
  /** Told why something is tried again. */
  say?: (note: string) => void;
  /** Milliseconds without a byte. */
  stall?: number;
  patience?: Partial<Patience>;
}

export interface Document {
  bytes: Buffer;
  mediaType: string;
  digest: string;
}

/** distribution-spec, "Pushing Manifests": a registry takes at least 4 MiB; more is in nobody's interest. */
const DOCUMENT = 4 << 20;
const HOPS = 5;
const wanted = [mediaTypes.index, mediaTypes.manifest, mediaTypes.dockerIndex, mediaTypes.dockerManifest];

export class Repository {
  readonly name: string;
  readonly origin: URL;
  readonly retries: Patience & { signal?: AbortSignal | undefined; say?: (note: string) => void };
  readonly #options: Options;
  readonly #line: { stall: number; signal?: AbortSignal | undefined; plain: boolean };
  readonly #login: Login;
  #met = false;

  constructor({ registry, repository }: Reference, actions: 'pull' | 'pull,push', options: Options = {}) {
    const { plain = false, stall = 30_000, signal, say } = options;
    this.name = repository;
    this.origin = originOf(registry, plain);
    this.retries = { ...patience, ...options.patience, signal, ...(say && { say }) };
    this.#options = options;
    this.#line = { stall, signal, plain };
    this.#login = new Login(
      this.origin,
      `repository:${repository}:${actions}`,
      options.credentials,
      this.#line,
    );
  }

  /** @returns the bytes as they are, verified if asked for by digest. @throws RegistryError. */
  async manifest(reference: string): Promise<Document> {
    return await retrying(async () => {
      const path = `manifests/${reference}`;
      const answer = await this.ask(path, { headers: { accept: wanted.join(', ') } });
      const bytes = await this.#readable(answer, DOCUMENT);
      const digest = digestOf(bytes);
      const said = answer.headers.get('docker-content-digest') ?? digest;
      const expected = isDigest(reference) ? reference : said;
      if (expected.startsWith('sha256:') && expected !== digest)
        throw new RegistryError(
          `${this}: the manifest ${reference} has the digest ${digest}, not ${expected}`,
        );
      return { bytes, digest, mediaType: contentType(answer.headers) };
    }, this.retries);
  }

  /** A document of known size, such as a config. */
  async document(digest: string, size: number): Promise<Buffer> {
    if (size > DOCUMENT)
      throw new RegistryError(`${this}: the config ${digest} has ${size} bytes; the bound is ${DOCUMENT}`);
    return await retrying(async () => this.#readable(await this.ask(`blobs/${digest}`), size), this.retries);
  }

  /** From an offset on, if the registry can: then the status is 206. Not tried again here: the caller knows what came. */
  blob(digest: string, offset: number, signal?: AbortSignal): Promise<Answer> {
    const headers = offset > 0 ? { range: `bytes=${offset}-` } : {};
    return this.ask(`blobs/${digest}`, { headers, signal }, [416]);
  }

  async has(digest: string): Promise<boolean> {
    return await retrying(async () => {
      const answer = await this.ask(`blobs/${digest}`, { method: 'HEAD' }, [404]);
      await answer.drop();
      return answer.status === 200;
    }, this.retries);
  }

  /** @returns as many as one answer has. @throws RegistryError. */
  async tags(): Promise<string[]> {
    const answer = await this.ask('tags/list');
    const list: unknown = parse(await this.#readable(answer, DOCUMENT), `${this}: its list of tags`);
    const { tags } = (list ?? {}) as { tags?: unknown };
    return Array.isArray(tags)
      ? tags.filter((tag) => typeof tag === 'string' && /^\w[\w.-]{0,127}$/.test(tag))
      : [];
  }

  /** @param said a Location of this registry's. */
  place(said: string | null, what: string): URL {
    if (said === null) throw new RegistryError(`${this}: it names no ${what}`);
    return placeNamedBy(this.origin, said, what, this.#line.plain);
  }

  /**
   * One request and its answer, with a login and redirects as needed; for GET and HEAD, that is.
   *
   * @param to below /v2/NAME/, or a place that the registry named.
   * @param fine statuses from 400 on that the caller understands.
   * @throws RegistryError for any other; temporary for 408, 429 and 5xx.
   */
  async ask(to: string | URL, request: Request = {}, fine: readonly number[] = []): Promise<Answer> {
    const url = typeof to === 'string' ? new URL(`/v2/${this.name}/${to}`, this.origin) : to;
    for (let logins = 0; ; logins++) {
      const header = this.#login.header;
      const answer = await this.#follow(url, request, header);
      // A challenge of another host's is none of the registry's: it gets no password.
      if (answer.status !== 401 || answer.url.origin !== this.origin.origin || logins === 2) {
        if (answer.status < 400 || fine.includes(answer.status)) return answer;
        throw await refusal(answer, request.method, this.#options.credentials);
      }
      await answer.drop();
      await this.#login.renew(answer.headers.get('www-authenticate') ?? '', header);
    }
  }

  async #follow(start: URL, request: Request, authorization: string | undefined): Promise<Answer> {
    for (let url = start, hops = 0; ; hops++) {
      const known = authorization !== undefined && url.origin === this.origin.origin;
      const headers = { ...request.headers, ...(known && { authorization }) };
      const answer = await this.#exchange(url, { ...request, headers });
      if (![301, 302, 303, 307, 308].includes(answer.status)) return answer;
      await answer.drop();
      if (request.body || hops === HOPS)
        throw new RegistryError(
          `${url.host}: ${hops === HOPS ? 'redirects without end' : 'an upload is redirected'}`,
        );
      url = placeNamedBy(url, answer.headers.get('location') ?? '', 'redirect', this.#line.plain);
    }
  }

  /** A host that never answered is not tried again: its name is wrong, or there is no network. */
  async #exchange(url: URL, request: Request): Promise<Answer> {
    try {
      const answer = await exchange(url, request, {
        ...this.#line,
        signal: request.signal ?? this.#line.signal,
      });
      this.#met = true;
      return answer;
    } catch (error) {
      if (this.#met || !(error instanceof RegistryError)) throw error;
      throw new RegistryError(error.message, {
        ...error,
        temporary: error.temporary && error.code === 'ECONNRESET',
      });
    }
  }

  async #readable(answer: Answer, limit: number): Promise<Buffer> {
    const bytes = await answer.read(limit);
    const said = Number(answer.headers.get('content-length') ?? bytes.length);
    if (said === bytes.length) return bytes;
    throw new RegistryError(`${this}: ${bytes.length} bytes came of ${said}`, { temporary: true });
  }

  toString(): string {
    return `${this.origin.host}/${this.name}`;
  }
}

const contentType = (headers: Headers): string =>
  (headers.get('content-type') ?? '').replace(/;.*/s, '').trim().toLowerCase();

/** @throws RegistryError that says what is no JSON. */
export function parse(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new RegistryError(`${what} is no JSON`);
  }
}
