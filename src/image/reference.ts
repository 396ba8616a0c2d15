/**
 * Names of images as docker's users type them: `alpine`, `user/app:1.2`, `host:5000/a/b`, `name@sha256:…`.
 * Grammar: distribution-spec, "Pulling manifests", and the defaults that docker gave everyone: docker.io, library/, latest.
 */

export interface Reference {
  /** Host and port, as typed; `docker.io` where none was. */
  registry: string;
  /** Below the host: `library/alpine`. */
  repository: string;
  tag?: string;
  /** Wins over the tag: it names the bytes. */
  digest?: string;
}

const defaultRegistry = 'docker.io';
const host =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagSyntax = /^\w[\w.-]{0,127}$/;
const digestSyntax = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * @returns with the tag `latest` if the text has neither tag nor digest.
 * @throws Error that quotes the text and says what is wrong with it.
 */
export function parseReference(text: string): Reference {
  const wrong = (why: string) => new Error(`image name ${JSON.stringify(text.slice(0, 300))}: ${why}`);
  const [scheme] = /^[a-z-]+:\/\//.exec(text) ?? [];
  if (scheme) throw wrong(`leave out the ${scheme}`);

  const at = text.indexOf('@');
  const [named, digest] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
  if (digest !== undefined && !digestSyntax.test(digest))
    throw wrong('after the @ stands a digest, sha256: and 64 digits of 0-9a-f');

  // A colon before the last slash belongs to a port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const [path, tag] = colon < 0 ? [named, undefined] : [named.slice(0, colon), named.slice(colon + 1)];
  if (tag !== undefined && !tagSyntax.test(tag))
    throw wrong('a tag has 1 to 128 letters, digits, and after the first character dots and dashes');

  const { registry, repository } = split(path);
  if (!host.test(registry) || !URL.canParse(`https://${registry}`))
    throw wrong(`${JSON.stringify(registry)} is no host`);
  const bad = repository.split('/').find((part) => !component.test(part));
  if (bad !== undefined && component.test(bad.toLowerCase())) throw wrong('a repository is in small letters');
  if (bad === '') throw wrong(path === '' ? 'it is empty' : 'a part of it is empty');
  if (bad !== undefined)
    throw wrong(`${JSON.stringify(bad)}: a part has small letters and digits, single . _ or dashes between`);
  if (repository.length > 255) throw wrong('it is longer than 255 characters');
  if (/^[0-9a-f]{64}$/.test(path)) throw wrong('64 such digits are an id, not a name');

  if (digest !== undefined) return { registry, repository, ...(tag !== undefined && { tag }), digest };
  return { registry, repository, tag: tag ?? 'latest' };
}

/** The first part is a host if it can be nothing else: a dot, a port, or localhost. */
function split(path: string): Pick<Reference, 'registry' | 'repository'> {
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  const isHost = slash > 0 && (/[.:[]/.test(first) || first === 'localhost');
  const registry = isHost
    ? first.toLowerCase().replace(/^index\.docker\.io$/, defaultRegistry)
    : defaultRegistry;
  const rest = isHost ? path.slice(slash + 1) : path;
  const official = registry === defaultRegistry && !rest.includes('/') && rest !== '';
  return { registry, repository: official ? `library/${rest}` : rest };
}

/** In full, the one form that two names of the same image share: `docker.io/library/alpine:3.20`. */
export function fullName({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${digest ? `@${digest}` : `:${tag}`}`;
}

/** As short as it can be and still mean the same: `alpine:3.20`. */
export function shortName(reference: Reference): string {
  const full = fullName(reference);
  const short = full.replace(/^docker\.io\/(?:library\/(?=[^/]+$))?/, '');
  // A user of docker.io whose name has a dot would be a host without it.
  return fullName(parseReference(short)) === full ? short : full;
}

/** What a manifest is asked for by. */
export const manifestOf = ({ digest, tag }: Reference): string => digest ?? tag ?? 'latest';
