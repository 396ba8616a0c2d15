/** One HTTP exchange by Node's fetch, with a watch for stalls and bounds on what is read. Redirects are not followed here. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { RegistryError } from './error.ts';

export interface Request {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  headers?: Readonly<Record<string, string>>;
  /** Made anew for each attempt. */
  body?: () => AsyncIterable<Uint8Array>;
  /** Bytes of the body. */
  length?: number;
  /** In place of the line's. */
  signal?: AbortSignal | undefined;
}

export interface Line {
  /** Milliseconds without a byte in either direction until the exchange is given up. */
  stall: number;
  signal?: AbortSignal | undefined;
}

/** One of chunks, read and drop must be called: they end the watch. */
export interface Answer {
  status: number;
  headers: Headers;
  url: URL;
  /** @throws RegistryError, temporary, if it stalls or is cut. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** @throws RegistryError if it is longer than that. */
  read(limit: number): Promise<Buffer>;
  drop(): Promise<void>;
}

/** @throws RegistryError that says what is wrong with the way there; the signal's reason when that ended it. */
export async function exchange(url: URL, request: Request, { stall, signal }: Line): Promise<Answer> {
  const watch = new Watch(stall, signal);
  const explain = (error: unknown) => {
    watch.end();
    signal?.throwIfAborted();
    return watch.stalled ? stalled(url, stall) : networkError(url, error);
  };
  const { method = 'GET', headers = {}, body, length } = request;
  const upload = body && ReadableStream.from(watched(body(), watch));
  const fixed = { 'user-agent': 'tslab', 'accept-encoding': 'identity' };
  const response = await fetch(url, {
    method,
    headers: { ...fixed, ...headers, ...(length !== undefined && { 'content-length': `${length}` }) },
    redirect: 'manual',
    signal: watch.signal,
    ...(upload && { body: upload, duplex: 'half' }),
  }).catch((error) => {
    watch.end();
    if (isUntrusted(error) && trustTheSystems()) return undefined;
    throw explain(error);
  });
  if (!response) return exchange(url, request, { stall, signal });
  watch.alive();

  const source = response.body;
  async function* chunks() {
    try {
      if (source) yield* watched(source, watch);
    } catch (error) {
      throw explain(error);
    } finally {
      watch.end();
    }
  }
  return {
    status: response.status,
    headers: response.headers,
    url,
    chunks,
    read: (limit) => readAll(url, chunks(), limit),
    drop: async () => {
      watch.end();
      await source?.cancel().catch(() => {}); // cut meanwhile: nobody wanted it
    },
  };
}

async function readAll(url: URL, chunks: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) throw new RegistryError(`${url.host}: ${url.pathname} is longer than ${limit} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

async function* watched(source: AsyncIterable<Uint8Array>, watch: Watch): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    watch.alive();
    yield chunk;
    watch.alive(); // whoever takes the bytes may be slow: that is no stall of the network's
  }
}

/** Ends an exchange in which nothing moves. */
class Watch {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;
  stalled = false;

  constructor(stall: number, outer: AbortSignal | undefined) {
    this.signal = outer ? AbortSignal.any([outer, this.#controller.signal]) : this.#controller.signal;
    this.#timer = setTimeout(() => {
      this.stalled = true;
      this.#controller.abort();
    }, stall);
  }
  alive(): void {
    this.#timer.refresh();
  }
  end(): void {
    clearTimeout(this.#timer);
  }
}

const stalled = ({ host }: URL, ms: number) =>
  new RegistryError(`${host}: nothing came for ${ms / 1000} s`, { code: 'ETIMEDOUT', temporary: true });

/** What each code usually means, and what to do. The rest are cut connections: worth another try. */
const hints: Readonly<Record<string, string>> = {
  ENOTFOUND:
    'no such host. Is the name right? Without a network, an image comes from a file: tslab image load',
  EAI_AGAIN: 'no name server answers. Without a network, an image comes from a file: tslab image load',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'no way to that host',
  ENETUNREACH: 'no network. An image may come from a file: tslab image load',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak https; if you trust the network, add --plain-http',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak https; if you trust the network, add --plain-http',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};
const unknownAuthority =
  'nobody known vouches for its certificate; NODE_EXTRA_CA_CERTS=FILE adds an authority';
const fleeting = ['EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'];

const isUntrusted = (error: unknown): boolean =>
  /ISSUER_CERT|SELF_SIGNED_CERT|UNABLE_TO_VERIFY/.test(
    (error as { cause?: { code?: string } }).cause?.code ?? '',
  );

let system = false;

/** Node knows Mozilla's authorities; the system's, such as a company's own, cost 0.1 s to read: only if the others don't do. */
function trustTheSystems(): boolean {
  if (system) return false;
  system = true;
  setDefaultCACertificates([...getCACertificates('default'), ...getCACertificates('system')]);
  return true;
}

function networkError({ host }: URL, error: unknown): RegistryError {
  const cause = (error as Error).cause ?? error;
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const hint = hints[code] ?? (isUntrusted(error) ? unknownAuthority : undefined);
  const temporary = hint === undefined || fleeting.includes(code);
  return new RegistryError(`${host}: ${hint ?? message}${code && ` (${code})`}`, { code, temporary, cause });
}
