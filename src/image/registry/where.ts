/** Where a request may go. A registry names other places (redirects, token servers, upload locations): it is not believed blindly. */
import { quoted, RegistryError } from './error.ts';

/** This very machine: nobody listens on the way, so plain http is as good. */
export const isLoopback = ({ hostname }: URL): boolean =>
  /^(?:127\.\d+\.\d+\.\d+|\[::1\]|(?:.*\.)?localhost\.?)$/.test(hostname);

/** Also what clouds give their machines' keys at, 169.254.169.254, and the same addresses as IPv6 writes them. */
const isPrivateToThisMachine = (url: URL): boolean =>
  isLoopback(url) ||
  /^(?:0\.|169\.254\.|\[(?:::|::ffff:[0-9a-f:]+|fe[89ab][0-9a-f]:.*)\]$)/.test(url.hostname);

/**
 * @param said as the registry wrote it, absolute or relative.
 * @param what it is, for the error: `redirect`.
 * @param plain the user allows http.
 * @throws RegistryError for another scheme than http and https, http after https, http over a network that the user
 *   didn't allow it for, a name or password in it, and this machine's own addresses from anyone else.
 */
export function placeNamedBy(from: URL, said: string, what: string, plain: boolean): URL {
  const no = (why: string) => new RegistryError(`${from.host}: its ${what} to ${quoted(said)} ${why}`);
  if (!URL.canParse(said, from)) throw no('is no URL');
  const to = new URL(said, from);
  if (to.protocol !== 'https:' && to.protocol !== 'http:')
    throw no('is not followed: neither https nor http');
  if (to.protocol === 'http:' && from.protocol === 'https:') throw no('is not followed: it leaves https');
  if (to.protocol === 'http:' && !plain && !isLoopback(to))
    throw no('is not followed: plain http; if you trust the network, add --plain-http');
  if (to.username || to.password) throw no('is not followed: it has a name or password in it');
  if (isPrivateToThisMachine(to) && !isPrivateToThisMachine(from))
    throw no('is not followed: an address of this machine itself');
  return to;
}

/** docker.io is a name that no registry answers at. */
export function originOf(registry: string, plain: boolean): URL {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const secure = new URL(`https://${host}`);
  return plain || isLoopback(secure) ? new URL(`http://${host}`) : secure;
}
