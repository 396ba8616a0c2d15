/** The Authorization header for one registry: Basic, or a token from the server that the registry names (RFC 7235, RFC 6750). */
import type { Credentials } from './credentials.ts';
import { RegistryError } from './error.ts';
import { exchange, type Line } from './http.ts';
import { placeNamedBy } from './where.ts';

export interface Challenge {
  /** In small letters: bearer, basic. */
  scheme: string;
  params: Map<string, string>;
}

/** @param header WWW-Authenticate, several of which fetch has joined by commas. What can't be read ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  const token = /[\s,]*([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  for (let found = token.exec(header); found; found = token.exec(header)) {
    const [whole, name = '', quoted, bare] = found;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? bare;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), params: new Map() });
    else challenges.at(-1)?.params.set(name.toLowerCase(), value);
    if (whole === '') break;
  }
  return challenges;
}

export class Login {
  readonly #registry: URL;
  readonly #scope: string;
  readonly #credentials: Credentials | undefined;
  readonly #line: Line & { plain: boolean };
  #renewing: Promise<string> | undefined;
  /** What to send, if the registry wants anything. */
  header: string | undefined;

  /** @param scope what is asked for where the challenge doesn't say it: `repository:library/alpine:pull`. */
  constructor(
    registry: URL,
    scope: string,
    credentials: Credentials | undefined,
    line: Line & { plain: boolean },
  ) {
    this.#registry = registry;
    this.#scope = scope;
    this.#credentials = credentials;
    this.#line = line;
  }

  /**
   * @param challenge of a 401.
   * @param tried the header that got it: another exchange may have renewed it meanwhile.
   * @throws RegistryError with status 401 if there is nothing else to try.
   */
  async renew(challenge: string, tried: string | undefined): Promise<void> {
    if (this.header !== tried) return;
    this.#renewing ??= this.#answerTo(parseChallenges(challenge), tried).finally(() => {
      this.#renewing = undefined;
    });
    this.header = await this.#renewing;
  }

  async #answerTo(challenges: Challenge[], tried: string | undefined): Promise<string> {
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer) return `Bearer ${await this.#token(bearer.params)}`;
    const basic = this.#basic();
    if (!challenges.some(({ scheme }) => scheme === 'basic'))
      throw this.#denied('it asks for a login of no known kind');
    if (!basic) throw this.#denied('it wants a login');
    if (basic === tried) throw this.#denied('it does not take this user and password');
    return basic;
  }

  #basic(): string | undefined {
    if (!this.#credentials) return undefined;
    const { username, password } = this.#credentials;
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }

  /** The distribution project's "Token Authentication Specification", and its OAuth2 form for refresh tokens. */
  async #token(params: ReadonlyMap<string, string>): Promise<string> {
    const realm = params.get('realm');
    if (!realm) throw this.#denied('it wants a token, and does not say from whom');
    const url = placeNamedBy(this.#registry, realm, 'token server', this.#line.plain);
    const service = params.get('service');
    const scopes = (params.get('scope') ?? this.#scope).split(' ').filter(Boolean);
    const identity = this.#credentials?.identityToken;
    if (identity !== undefined) {
      const fields = {
        grant_type: 'refresh_token',
        refresh_token: identity,
        client_id: 'tslab',
        scope: scopes.join(' '),
      };
      const form = Buffer.from(new URLSearchParams({ ...fields, ...(service && { service }) }).toString());
      return this.#ask(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: async function* () {
          yield form;
        },
        length: form.length,
      });
    }
    if (service) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const basic = this.#basic();
    return this.#ask(url, basic ? { headers: { authorization: basic } } : {});
  }

  async #ask(url: URL, request: Parameters<typeof exchange>[1]): Promise<string> {
    const answer = await exchange(url, request, this.#line);
    const { status } = answer;
    const text = (await answer.read(1 << 20)).toString('utf8');
    if (status === 401 || status === 403) throw this.#denied(`its token server ${url.host} says no`, status);
    if (status !== 200)
      throw new RegistryError(`${url.host}: the token server answers ${status}`, {
        temporary: status === 429 || status >= 500,
      });
    try {
      const { token, access_token = token } = JSON.parse(text);
      // RFC 6750: anything else would not get through as a header.
      if (typeof access_token === 'string' && /^[\w.~+/=-]+$/.test(access_token)) return access_token;
    } catch {
      // not JSON, or null: the same as no token
    }
    throw new RegistryError(`${url.host}: the token server answers without a token`);
  }

  #denied(why: string, status = 401): RegistryError {
    const how = this.#credentials
      ? `the user was ${JSON.stringify(this.#credentials.username)}`
      : 'no user is known for it: --creds USER, or podman login, or docker login';
    return new RegistryError(`${this.#registry.host}: ${why}; ${how}`, { status });
  }
}
