/** Who may: passwords and tokens, where they come from, and above all where they do not go. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseReference } from '../../../src/image/reference.ts';
import {
  type Credentials,
  findCredentials,
  parseCredentials,
} from '../../../src/image/registry/credentials.ts';
import { parseChallenges } from '../../../src/image/registry/login.ts';
import { type PullOptions, pull } from '../../../src/image/registry/pull.ts';
import { push } from '../../../src/image/registry/push.ts';
import { Store } from '../../../src/image/store/store.ts';
import {
  hasRegistry,
  hasSkopeo,
  makeSample,
  type RealRegistry,
  type Sample,
  type Server,
  skopeo,
  startProxy,
  startRegistry,
  temporaryFolder,
} from '../../support/registry.ts';
import { startTokenServer, type TokenServer } from '../../support/tokens.ts';

const folder = temporaryFolder();
let sample: Sample;
let tokens: TokenServer;
/** One with htpasswd, whose password it made up itself, and one with tokens. */
let basic: RealRegistry;
let bearer: RealRegistry;
let password: string;
let proxy: Server;
let store: Store;
let count = 0;

beforeAll(async () => {
  if (!hasRegistry || !hasSkopeo) return;
  sample = makeSample(join(folder.path, 'sample'), [1_000_000, 10]);
  tokens = await startTokenServer(folder.path);
  const htpasswd = { realm: 'tests', path: join(folder.path, 'htpasswd') };
  basic = await startRegistry(join(folder.path, 'basic'), { htpasswd });
  bearer = await startRegistry(join(folder.path, 'bearer'), tokens.auth);
  password = /password=(\S+)/.exec(basic.output())?.[1] ?? '';
  const to = ['--quiet', '--dest-tls-verify=false', `oci:${sample.layout}:latest`];
  await skopeo('copy', '--dest-creds', `docker:${password}`, ...to, `docker://${basic.host}/some/app:1`);
  await skopeo('copy', ...to, `docker://${bearer.host}/some/app:1`);
  proxy = await startProxy(basic.host);
});
beforeEach((ctx) => {
  ctx.skip(!hasRegistry, 'needs docker-registry');
  ctx.skip(!hasSkopeo, 'needs skopeo');
  store = new Store(join(folder.path, `store-${++count}/images`));
  proxy.seen.length = 0;
  proxy.fault = undefined;
  tokens.seen.length = 0;
  Object.assign(tokens, { life: 60, password: undefined });
});
afterEach(() => store?.close());
afterAll(async () => {
  for (const one of [proxy, basic, bearer, tokens]) await one?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const right = (): Credentials => ({ username: 'docker', password });
const get = (host: string, options: PullOptions = {}) =>
  pull(parseReference(`${host}/some/app:1`), store, { patience: { first: 10, tries: 3 }, ...options });

test('Basic: with the password, without one, with a wrong one', async () => {
  expect((await get(basic.host, { credentials: right() })).digest).toBe(sample.digest);
  await expect(get(basic.host)).rejects.toThrow('it wants a login; no user is known for it: --creds USER');
  const wrong = { username: 'docker', password: 'open sesame' };
  const error = await get(basic.host, { credentials: wrong }).catch((error) => error);
  expect(error.message).toContain('does not take this user and password; the user was "docker"');
  expect(JSON.stringify(error) + error.stack).not.toContain('open sesame');
});

test('a password goes out only after it was asked for', async () => {
  await get(proxy.host, { credentials: right() });
  expect(proxy.seen[0]?.headers.authorization).toBeUndefined();
  expect(proxy.seen[1]?.headers.authorization).toBe(
    `Basic ${Buffer.from(`docker:${password}`).toString('base64')}`,
  );
});

test('a redirect to another origin gets no Authorization; one to the same origin does', async () => {
  await using cdn = await startProxy(basic.host);
  // What a store behind a signed URL does: knows who asks by the URL.
  const authorization = `Basic ${Buffer.from(`docker:${password}`).toString('base64')}`;
  const atCdn: (string | undefined)[] = [];
  await using front = await startProxy(cdn.host, ({ headers }) => {
    atCdn.push(headers.authorization);
    headers.authorization = authorization;
    return undefined;
  });
  proxy.fault = ({ url, headers }, response) => {
    if (!headers.authorization || !url.includes('/blobs/') || url.includes('again')) return undefined;
    const near = url.endsWith(sample.layers[0]?.digest ?? '');
    response.writeHead(307, { location: near ? `${url}?again` : `http://${front.host}${url}` }).end();
    return 'answered';
  };
  expect((await get(proxy.host, { credentials: right() })).digest).toBe(sample.digest);
  expect(atCdn).toEqual([undefined, undefined]); // the config and a layer
  expect(proxy.seen.find(({ url }) => url.includes('again'))?.headers.authorization).toBe(authorization);
});

test('another origin that asks for a password is told none', async () => {
  await using nosy = await startProxy(undefined, (_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="mine now"' }).end();
    return 'answered';
  });
  proxy.fault = ({ url, headers }, response) => {
    if (!headers.authorization || !url.includes('/blobs/')) return undefined;
    response.writeHead(307, { location: `http://${nosy.host}/` }).end();
    return 'answered';
  };
  await expect(get(proxy.host, { credentials: right() })).rejects.toThrow('401');
  expect(nosy.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

test('Bearer: the token server is asked for exactly this scope, and the registry gets the token, never the password', async () => {
  tokens.password = 'secret';
  await using before = await startProxy(bearer.host);
  const credentials = { username: 'someone', password: 'secret' };
  expect((await get(before.host, { credentials })).digest).toBe(sample.digest);
  expect(tokens.seen.map(({ url }) => decodeURIComponent(url))).toEqual([
    '/token?service=test&scope=repository:some/app:pull',
  ]);
  for (const { headers } of before.seen.slice(1)) expect(headers.authorization).toMatch(/^Bearer /);
});

test('a token server that says no: 401, and who one was', async () => {
  tokens.password = 'secret';
  await expect(get(bearer.host)).rejects.toThrow(/token server 127.* says no; no user is known/);
});

test('a token that expires between two requests is renewed', async () => {
  await using before = await startProxy(bearer.host);
  tokens.life = -59; // the registry takes them for a minute longer
  before.fault = ({ url }) => {
    if (!url.endsWith(sample.layers[0]?.digest ?? '')) return undefined;
    tokens.life = 60;
    return { delay: 2200 };
  };
  await get(before.host);
  expect(tokens.seen.length).toBeGreaterThan(1);
  expect(store.images().length).toBe(1);
});

test('a push asks for push, and a mount for the neighbour as well', async () => {
  const reference = parseReference(`${bearer.host}/some/app:1`);
  await pull(reference, store);
  tokens.seen.length = 0;
  const blobs: string[] = [];
  const image = store.resolve(`${bearer.host}/some/app:1`);
  await push(image, store, parseReference(`${bearer.host}/other/app:1`), {
    moved: ({ state }) => {
      if (state !== 'moving') blobs.push(state);
    },
  });
  expect(blobs).toEqual(['mounted', 'mounted', 'mounted']);
  const scopes = tokens.seen.map(({ url }) => new URL(url, 'http://x').searchParams.getAll('scope'));
  expect(scopes.flat().join(' ')).toMatch(/repository:other\/app:(pull,push|push,pull)/);
  expect(scopes.flat()).toContain('repository:some/app:pull');
});

test('a refresh token in place of a password: OAuth2', async () => {
  const asked: string[] = [];
  await using server = await startProxy(undefined, ({ url, method }, response) => {
    asked.push(`${method} ${url}`);
    if (url === '/token') response.end('{"access_token":"abc"}');
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${server.host}/token"` }).end();
    return 'answered';
  });
  const credentials = { username: '<token>', password: '', identityToken: 'refresh' };
  await expect(get(server.host, { credentials })).rejects.toThrow('401');
  expect(asked).toContain('POST /token');
});

const auth = (text: string) => Buffer.from(text).toString('base64');
test('credentials: the most special key first; podman first, then docker; docker.io by all its names', () => {
  const home = join(folder.path, 'home');
  const run = join(folder.path, 'run');
  for (const dir of [join(home, '.docker'), join(run, 'containers')]) mkdirSync(dir, { recursive: true });
  const env = { HOME: home, XDG_RUNTIME_DIR: run };
  expect(findCredentials('host:5000', 'a/b', env)).toBeUndefined();
  writeFileSync(
    join(run, 'containers/auth.json'),
    JSON.stringify({
      auths: { 'host:5000/a': { auth: auth('deep:1') }, 'host:5000': { auth: auth('shallow:2') } },
    }),
  );
  const hub = { auth: auth('hub:with:colon'), identitytoken: 'refresh' };
  writeFileSync(
    join(home, '.docker/config.json'),
    JSON.stringify({
      credsStore: 'none',
      auths: {
        'https://index.docker.io/v1/': hub,
        'https://url.example/': { auth: auth('u:r') },
        'helper.example': {},
      },
    }),
  );
  expect(findCredentials('host:5000', 'a/b', env)).toEqual({ username: 'deep', password: '1' });
  expect(findCredentials('host:5000', 'other', env)).toEqual({ username: 'shallow', password: '2' });
  expect(findCredentials('host', 'a', env)).toBeUndefined();
  expect(findCredentials('url.example', 'a', env)?.username).toBe('u');
  expect(findCredentials('helper.example', 'a', env)).toBeUndefined();
  expect(findCredentials('docker.io', 'library/alpine', env)).toEqual({
    username: 'hub',
    password: 'with:colon',
    identityToken: 'refresh',
  });
  writeFileSync(join(run, 'containers/auth.json'), '{"auths": {"x": {"auth": "c2VjcmV0"');
  expect(() => findCredentials('x', 'a', env)).toThrow(/auth\.json: it is not JSON; log in again/);
  expect(() => parseCredentials('justapassword', '--creds')).toThrow(/^(?!.*justapassword)/);
});

test.each<[string, [string, Record<string, string>][]]>([
  ['Basic realm="x"', [['basic', { realm: 'x' }]]],
  [
    'Bearer realm="https://a/t?x=1,2",service="s",scope="repository:a:pull,push"',
    [['bearer', { realm: 'https://a/t?x=1,2', service: 's', scope: 'repository:a:pull,push' }]],
  ],
  [
    'Negotiate, BASIC realm=x , bearer realm="a\\"b"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'a"b' }],
    ],
  ],
  ['', []],
  ['"', []],
])('the challenge %s', (header, expected) => {
  expect(parseChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)])).toEqual(
    expected,
  );
});

test('a challenge of a megabyte takes no time', () => {
  const begun = performance.now();
  for (const piece of ['a,', 'a=', 'a="', ' ', '\\"', 'a b="c" '])
    parseChallenges(piece.repeat(1_000_000 / piece.length));
  expect(performance.now() - begun).toBeLessThan(2000);
});
