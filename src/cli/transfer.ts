/** Around a pull or push: credentials, the environment's proxy, Ctrl-C, and bars. */
import { readFileSync } from 'node:fs';
import { setGlobalProxyFromEnv } from 'node:http';
import { constants } from 'node:os';
import type { Reference } from '../image/reference.ts';
import type { Options } from '../image/registry/client.ts';
import { type Credentials, findCredentials, parseCredentials } from '../image/registry/credentials.ts';
import type { Listener } from '../image/registry/progress.ts';
import { Bars } from './bars.ts';
import type { RegistryFlags } from './registry-flags.ts';

/** @throws what the work throws; on SIGINT and SIGTERM an Error with the exit code that a shell gives these. */
export async function transfer(
  reference: Reference,
  flags: RegistryFlags,
  work: (options: Options & Listener) => Promise<void>,
): Promise<void> {
  const credentials = credentialsOf(reference, flags);
  // HTTPS_PROXY, HTTP_PROXY, NO_PROXY: Node heeds them when it is told to.
  if (Object.keys(process.env).some((name) => /^https?_proxy$/i.test(name))) setGlobalProxyFromEnv();
  const bars = new Bars(process.stderr, flags.quiet === true);
  using stop = new StopBySignal();
  try {
    await work({
      credentials,
      plain: flags.plainHttp === true,
      signal: stop.signal,
      moved: (blob) => bars.moved(blob),
      note: (text) => bars.note(text),
    });
  } finally {
    bars.end();
  }
}

function credentialsOf(
  { registry, repository }: Reference,
  { creds, passwordStdin }: RegistryFlags,
): Credentials | undefined {
  if (passwordStdin) {
    if (!creds || creds.includes(':')) throw new Error('--password-stdin: it takes --creds USER beside it');
    return { username: creds, password: readFileSync(0, 'utf8').replace(/\r?\n$/, '') };
  }
  // Not from a variable of our own: it would go to whatever registry the next name is of. REGISTRY_AUTH_FILE says whose is whose.
  if (creds) return parseCredentials(creds, '--creds (without a password: add --password-stdin)');
  return findCredentials(registry, repository);
}

class StopBySignal {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  readonly #handler = (name: 'SIGINT' | 'SIGTERM') => {
    this.#end(); // a second one ends the process as ever
    const error = new Error('stopped; what came is kept, and the next try goes on from there');
    this.#controller.abort(Object.assign(error, { exitCode: 128 + constants.signals[name] }));
  };

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, this.#handler);
  }
  [Symbol.dispose](): void {
    this.#end();
  }
  #end(): void {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, this.#handler);
  }
}
