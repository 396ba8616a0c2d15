/** Who the user is at a registry: asked for on the command line, or left by `podman login` and `docker login`. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Credentials {
  username: string;
  password: string;
  /** Docker's name for an OAuth2 refresh token, which stands in for the password at a token server. */
  identityToken?: string;
}

/** @param text `user:password`. @throws Error that doesn't repeat it. */
export function parseCredentials(text: string, from: string): Credentials {
  const colon = text.indexOf(':');
  if (colon < 1) throw new Error(`${from}: it takes USER:PASSWORD`);
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * The first that a file has for this repository, or for a part of its path, or for its registry (containers-auth.json(5)).
 *
 * @throws Error that names a file which can't be read or is none of JSON.
 */
export function findCredentials(
  registry: string,
  repository: string,
  env = process.env,
): Credentials | undefined {
  const parts = [registry, ...repository.split('/')];
  const keys = parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
  for (const file of files(env)) {
    const auths = readAuths(file);
    for (const key of keys) {
      const found = auths.get(key);
      if (found) return decode(found, file);
    }
  }
  return undefined;
}

/** In the order of precedence; podman's first, as podman has it. */
function files(env: NodeJS.ProcessEnv): string[] {
  const home = env.HOME || homedir();
  if (env.REGISTRY_AUTH_FILE) return [env.REGISTRY_AUTH_FILE];
  return [
    join(env.XDG_RUNTIME_DIR || `/run/containers/${process.getuid?.()}`, 'containers/auth.json').replace(
      /^(\/run\/containers\/\d+)\/containers/,
      '$1',
    ),
    join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
    join(env.DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
  ];
}

interface Entry {
  auth?: unknown;
  identitytoken?: unknown;
}

function readAuths(file: string): Map<string, Entry> {
  const known = new Map<string, Entry>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return known;
    throw new Error(`open("${file}"): ${code}: the credentials for registries are there`);
  }
  let auths: unknown;
  try {
    auths = JSON.parse(text)?.auths ?? {};
  } catch {
    throw new Error(`${file}: it is not JSON; log in again, or remove it`); // V8's message would quote from it
  }
  for (const [key, entry] of Object.entries(auths as object))
    if (typeof entry === 'object' && entry !== null) known.set(withoutScheme(key), entry);
  return known;
}

/** Docker wrote URLs once, and still does for its own registry: https://index.docker.io/v1/. */
const withoutScheme = (key: string): string =>
  key
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$|\/$/, '')
    .replace(/^(?:index|registry-1)\.docker\.io(?=\/|$)/, 'docker.io');

/** Where a helper keeps the password, the entry is empty: then there is none here. */
function decode({ auth, identitytoken }: Entry, file: string): Credentials | undefined {
  if (typeof auth !== 'string' || auth === '') return undefined;
  const found = parseCredentials(Buffer.from(auth, 'base64').toString('utf8'), file);
  return typeof identitytoken === 'string' && identitytoken !== ''
    ? { ...found, identityToken: identitytoken }
    : found;
}
