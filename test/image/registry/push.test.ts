/** Pushing to a real registry; skopeo says what is there then. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseReference } from '../../../src/image/reference.ts';
import type { Moved } from '../../../src/image/registry/progress.ts';
import { pull } from '../../../src/image/registry/pull.ts';
import { push } from '../../../src/image/registry/push.ts';
import { Store } from '../../../src/image/store/store.ts';
import {
  blobsOf,
  type Fault,
  hasRegistry,
  hasSkopeo,
  makeSample,
  type RealRegistry,
  type Sample,
  type Server,
  sendTo,
  skopeo,
  startProxy,
  startRegistry,
  temporaryFolder,
} from '../../support/registry.ts';
import { startTokenServer, type TokenServer } from '../../support/tokens.ts';

const folder = temporaryFolder();
/** More than two chunks. */
const BIG = 40_000_000;
let source: RealRegistry;
let target: RealRegistry;
let tokens: TokenServer;
let proxy: Server;
let sample: Sample;
let store: Store;
let count = 0;

beforeAll(async () => {
  if (!hasRegistry || !hasSkopeo) return;
  source = await startRegistry(join(folder.path, 'source'));
  sample = makeSample(join(folder.path, 'sample'), [BIG, 300_000]);
  await sendTo(source.host, 'some/app:1', sample);
  store = new Store(join(folder.path, 'store/images'));
  await pull(parseReference(`${source.host}/some/app:1`), store);
}, 60_000);
beforeEach(async (ctx) => {
  ctx.skip(!hasRegistry, 'needs docker-registry');
  ctx.skip(!hasSkopeo, 'needs skopeo');
  target = await startRegistry(join(folder.path, `target-${++count}`));
  proxy = await startProxy(target.host);
});
afterEach(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
});
afterAll(async () => {
  store?.close();
  await source?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function pushThrough(fault?: Fault, name = 'some/app:1', host = proxy.host): Promise<Moved['state'][]> {
  proxy.fault = fault;
  const ends: Moved['state'][] = [];
  await push(store.resolve(`${source.host}/some/app:1`), store, parseReference(`${host}/${name}`), {
    patience: { first: 10, tries: 4 },
    moved: ({ state }) => {
      if (state !== 'moving') ends.push(state);
    },
  });
  return ends;
}

async function isThere(name = 'some/app:1') {
  const from = `docker://${target.host}/${name}`;
  expect(JSON.parse(await skopeo('inspect', '--tls-verify=false', from)).Digest).toBe(sample.digest);
  const out = join(folder.path, `out-${count}-${name.replaceAll(/\W/g, '-')}`);
  await skopeo('copy', '--quiet', '--src-tls-verify=false', from, `oci:${out}:latest`);
  for (const [digest, is] of blobsOf(out)) expect(is).toBe(digest);
  for (const { digest } of sample.layers) expect(blobsOf(out).has(digest)).toBe(true);
}

const methods = () => proxy.seen.map(({ method, url }) => `${method} ${url.replace(/\?.*|uploads\/.+/, '')}`);

test('an image, large layers in chunks, the manifest last; skopeo gets the same bytes', {
  timeout: 20_000,
}, async () => {
  expect(await pushThrough()).toEqual(['done', 'done', 'done']);
  await isThere();
  expect(methods().at(-1)).toBe('PUT /v2/some/app/manifests/1');
  expect(
    proxy.seen.filter(({ method }) => method === 'PATCH').map(({ headers }) => headers['content-range']),
  ).toEqual(['0-16777215', '16777216-33554431', expect.stringMatching(/^33554432-4\d+$/)]);
});

test('what is there already is not sent again; a neighbour’s blobs are mounted', async () => {
  await pushThrough();
  proxy.seen.length = 0;
  expect(await pushThrough(undefined, 'some/app:2')).toEqual(['present', 'present', 'present']);
  expect(proxy.seen.filter(({ method }) => method === 'POST')).toEqual([]);
  store.tag(`${proxy.host}/some/app:1`, store.resolve(`${source.host}/some/app:1`).descriptor);
  proxy.seen.length = 0;
  expect(await pushThrough(undefined, 'other/app:1')).toEqual(['mounted', 'mounted', 'mounted']);
  expect(proxy.seen.filter(({ method }) => method === 'PATCH' || method === 'PUT')).toHaveLength(1);
  store.untag(`${proxy.host}/some/app:1`);
  await isThere('some/app:2');
  await isThere('other/app:1');
});

test('a mount that the registry does not do is an upload', async () => {
  store.tag(`${proxy.host}/not/there:1`, store.resolve(`${source.host}/some/app:1`).descriptor);
  expect(await pushThrough()).toEqual(['done', 'done', 'done']);
  expect(proxy.seen.some(({ url }) => url.includes('mount=sha256'))).toBe(true);
  store.untag(`${proxy.host}/not/there:1`);
  await isThere();
});

const ranges = () => proxy.seen.flatMap(({ headers }) => headers['content-range'] ?? []);

test('an upload that is cut goes on where the registry says it is', async () => {
  let cuts = 0;
  await pushThrough(({ method }, response) => {
    if (method !== 'PATCH' || ++cuts !== 2) return undefined;
    response.destroy();
    return 'answered';
  });
  await isThere();
  expect(ranges().slice(0, 3)).toEqual(['0-16777215', '16777216-33554431', '16777216-33554431']);
  expect(methods()).toContain('GET /v2/some/app/blobs/');
});

test('docker-registry forgets an upload whose chunk was cut in the middle: from the beginning then', async () => {
  let cuts = 0;
  await pushThrough(({ method }) =>
    method === 'PATCH' && ++cuts === 2 ? { cutUploadAfter: 5_000_000 } : undefined,
  );
  await isThere();
  expect(ranges().slice(0, 3)).toEqual(['0-16777215', '16777216-33554431', '0-16777215']);
});

test('a registry that takes no chunks gets the blob as a whole', async () => {
  const ends = await pushThrough(({ method }, response) => {
    if (method !== 'PATCH') return undefined;
    response.writeHead(405).end();
    return 'answered';
  });
  expect(ends).toEqual(['done', 'done', 'done']);
  await isThere();
});

test('500 at each kind of request once, and then it works', async () => {
  const failed = new Set<string>();
  await pushThrough(({ method, url }, response) => {
    const kind = `${method} ${url.includes('/manifests/')}`;
    if (failed.has(kind)) return undefined;
    failed.add(kind);
    response.writeHead(500).end();
    return 'answered';
  });
  expect([...failed]).toEqual(
    expect.arrayContaining(['HEAD false', 'POST false', 'PATCH false', 'PUT false', 'PUT true']),
  );
  await isThere();
});

test('an answer to the last PUT that is lost: the blob is there, and that is seen', async () => {
  let lost = 0;
  await pushThrough(({ method, url }) =>
    method === 'PUT' && url.includes('/blobs/') && lost++ < 3 ? { cutAfter: 0 } : undefined,
  );
  await isThere();
});

test('a token that has expired in the middle of an upload is renewed', { timeout: 30_000 }, async () => {
  const path = join(folder.path, 'tokens');
  mkdirSync(path);
  tokens = await startTokenServer(path);
  await using guarded = await startRegistry(join(folder.path, 'guarded'), tokens.auth);
  await using before = await startProxy(guarded.host);
  tokens.life = -58;
  before.fault = ({ method }) => {
    if (method !== 'PATCH' && method !== 'PUT') return undefined;
    tokens.life = 60;
    return { delay: 2500 };
  };
  await pushThrough(undefined, 'some/app:1', before.host);
  const { digest } = await pull(
    parseReference(`${guarded.host}/some/app:1`),
    new Store(join(folder.path, 'back/images')),
  );
  expect(digest).toBe(sample.digest);
  expect(tokens.seen.length).toBeGreaterThan(1);
  await tokens[Symbol.asyncDispose]();
});

test('a registry that says no: whose words these are', async () => {
  const denied = pushThrough(({ method }, response) => {
    if (method !== 'POST') return undefined;
    response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"not yours"}]}');
    return 'answered';
  });
  await expect(denied).rejects.toThrow(/POST .*: 403: "not yours"; no user is known/);
});

test('an upload location on another host gets the bytes, and no Authorization', {
  timeout: 20_000,
}, async () => {
  const htpasswd = { realm: 'tests', path: join(folder.path, 'htpasswd') };
  await using guarded = await startRegistry(join(folder.path, 'basic'), { htpasswd });
  const password = /password=(\S+)/.exec(guarded.output())?.[1] ?? '';
  await using elsewhere = await startProxy(guarded.host);
  const there: (string | undefined)[] = [];
  elsewhere.fault = ({ headers }) => {
    there.push(headers.authorization);
    headers.authorization = `Basic ${Buffer.from(`docker:${password}`).toString('base64')}`;
    return undefined;
  };
  await using front = await startProxy(guarded.host, ({ method, headers }) =>
    method === 'POST' ? { location: (said) => said.replace(`${headers.host}`, elsewhere.host) } : undefined,
  );
  const image = store.resolve(`${source.host}/some/app:1`);
  const credentials = { username: 'docker', password };
  await push(image, store, parseReference(`${front.host}/some/app:1`), { credentials });
  expect(there.length).toBeGreaterThan(3);
  expect(new Set(there)).toEqual(new Set([undefined]));
});

test('nor is any location believed', async () => {
  const gone = pushThrough(({ method }, response) => {
    if (method !== 'POST') return undefined;
    response.writeHead(202, { location: 'http://uploads.example/x' }).end();
    return 'answered';
  });
  await expect(gone).rejects.toThrow('plain http');
});

test('a blob that is not in the store is an error before anything is sent', async () => {
  const image = store.resolve(`${source.host}/some/app:1`);
  const empty = new Store(join(folder.path, 'empty/images'));
  await expect(push(image, empty, parseReference(`${proxy.host}/a:1`))).rejects.toThrow(
    'pull the image again',
  );
  expect(proxy.seen).toEqual([]);
});
