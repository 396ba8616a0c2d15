/** A registry that means no good. Each answer here is one that would do harm to a client that believed it. */
import { readdirSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ownPlatform } from '../../../src/image/platform.ts';
import { parseReference } from '../../../src/image/reference.ts';
import { pull } from '../../../src/image/registry/pull.ts';
import { placeNamedBy } from '../../../src/image/registry/where.ts';
import { Store } from '../../../src/image/store/store.ts';
import { digestOf, json, type Server, startProxy, temporaryFolder } from '../../support/registry.ts';

const folder = temporaryFolder();
let server: Server;
let store: Store;
let count = 0;
beforeAll(async () => {
  server = await startProxy();
});
beforeEach(() => {
  server.seen.length = 0;
  store = new Store(join(folder.path, `store-${++count}/images`));
});
afterEach(() => {
  store.close();
  // Whatever happened, nothing of it bears a name.
  expect(store.images()).toEqual([]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};
const of = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
type Answers = Record<string, Buffer | ((response: ServerResponse) => void)>;

/** @param answers by the end of the path; a Buffer is sent as it is. */
function pullFrom(answers: Answers, type: string = types.manifest, name = 'some/app:1') {
  server.fault = ({ url }, response) => {
    const [, answer] = Object.entries(answers).find(([end]) => url.endsWith(end)) ?? [];
    if (answer === undefined) return undefined;
    if (typeof answer === 'function') answer(response);
    else response.writeHead(200, { 'content-type': type, 'content-length': answer.length }).end(answer);
    return 'answered';
  };
  const options = { patience: { first: 1, tries: 2 }, stall: 500 };
  return pull(parseReference(`${server.host}/${name}`), store, options);
}

const layer = Buffer.from('some layer');
const config = (diffIds = [digestOf(layer)], more = {}) =>
  json({ ...ownPlatform, rootfs: { type: 'layers', diff_ids: diffIds }, ...more });
const manifestOf = (more = {}, itsConfig = config()) =>
  json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: of(itsConfig, types.config),
    layers: [of(layer, types.layer)],
    ...more,
  });
const document = (value: unknown): Answers => ({
  'manifests/1': Buffer.isBuffer(value) ? value : json(value),
});

test.each<[string, unknown, string | RegExp]>([
  ['bad JSON', Buffer.from('{'), 'is no JSON'],
  ['null', null, 'image manifest'],
  ['a list', [], 'image manifest'],
  ['a page', Buffer.from('<html>'), 'is no JSON'],
  ['no config', { schemaVersion: 2, mediaType: types.manifest, layers: [] }, 'config: it takes an object'],
  ['schema 1', { schemaVersion: 1, name: 'x' }, 'a manifest of schema 1'],
  ['a manifest that is an index as well', { ...JSON.parse(`${manifestOf()}`), manifests: [] }, 'no image'],
  [
    'an index by its type, a manifest by its shape',
    { ...JSON.parse(`${manifestOf()}`), mediaType: types.index },
    'no image',
  ],
  ['another type than image', manifestOf({ mediaType: 'application/x' }), 'application/x'],
  [
    'a chart',
    manifestOf({ config: { ...of(layer, 'application/vnd.cncf.helm.config.v1+json') } }),
    'helm.config',
  ],
  [
    'a digest that is a path',
    manifestOf({ layers: [{ ...of(layer, types.layer), digest: 'sha256:../../../x' }] }),
    'layers[0].digest',
  ],
  ['a size below zero', manifestOf({ layers: [{ ...of(layer, types.layer), size: -1 }] }), 'layers[0].size'],
  [
    'a size beyond numbers',
    Buffer.from(`${manifestOf()}`.replace(`"size":${layer.length}`, '"size":1e400')),
    'layers[0].size',
  ],
  [
    'a size that is no number',
    manifestOf({ layers: [{ ...of(layer, types.layer), size: '10' }] }),
    'layers[0].size',
  ],
  ['10,000 layers', manifestOf({ layers: Array(10_000).fill(of(layer, types.layer)) }), 'a list of at most'],
  [
    'a config of a gigabyte',
    manifestOf({ config: { ...of(layer, types.config), size: 2 ** 30 } }),
    'the bound is',
  ],
])('%s is refused', async (_, value, why) => {
  await expect(pullFrom(document(value))).rejects.toThrow(why);
  expect(server.seen.filter(({ url }) => url.includes('/blobs/'))).toEqual([]);
});

test('a manifest of 10 MB is read no further than it may be long', async () => {
  let sent = 0;
  const piece = Buffer.alloc(64 * 1024, ' ');
  const endless = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': types.manifest });
    const more = () => {
      while (!response.destroyed && response.write(piece)) sent += piece.length;
    };
    response.on('drain', more);
    more();
  };
  await expect(pullFrom({ 'manifests/1': endless })).rejects.toThrow('is longer than 4194304 bytes');
  expect(sent).toBeLessThan(20 << 20);
});

test('an endless page of an error', async () => {
  const endless = (response: ServerResponse) => {
    response.writeHead(400);
    const timer = setInterval(() => response.write(Buffer.alloc(64 * 1024)), 1);
    response.on('close', () => clearInterval(timer));
  };
  await expect(pullFrom({ 'manifests/1': endless })).rejects.toThrow(': 400');
});

test('an index that leads to indexes, deeper and deeper', async () => {
  const answers: Answers = {};
  let inner = of(manifestOf(), types.manifest);
  answers[inner.digest] = manifestOf();
  for (let depth = 0; depth < 5; depth++) {
    const index = json({ schemaVersion: 2, mediaType: types.index, manifests: [inner] });
    inner = of(index, types.index);
    answers[inner.digest] = index;
    answers['manifests/1'] = index;
  }
  await expect(pullFrom(answers, types.index)).rejects.toThrow('an index in an index');
});

test('an index that claims its manifest to be of another size, and one that is replaced', async () => {
  const manifest = manifestOf();
  const lie = json({
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [{ ...of(manifest, types.manifest), size: 5 }],
  });
  await expect(pullFrom({ 'manifests/1': lie, [digestOf(manifest)]: manifest }, '')).rejects.toThrow(
    'the index says 5',
  );
  const index = json({ schemaVersion: 2, mediaType: types.index, manifests: [of(manifest, types.manifest)] });
  const other = manifestOf({ annotations: { other: 'image' } });
  await expect(pullFrom({ 'manifests/1': index, [digestOf(manifest)]: other }, '')).rejects.toThrow(
    `not ${digestOf(manifest)}`,
  );
});

test('a platform that the image is not for is told, with those that it is for', async () => {
  const manifests = ['riscv64', 's390x'].map((architecture) => ({
    ...of(manifestOf(), types.manifest),
    platform: { os: 'linux', architecture },
  }));
  const index = json({ schemaVersion: 2, mediaType: types.index, manifests });
  await expect(pullFrom({ 'manifests/1': index }, types.index)).rejects.toThrow(/riscv64.*s390x/);
});

test('a config whose layers are not those of the manifest costs no layer', async () => {
  const two = config([digestOf(layer), digestOf(layer)]);
  const answers = { 'manifests/1': manifestOf({}, two), [digestOf(two)]: two };
  await expect(pullFrom(answers)).rejects.toThrow('1 layers, and 2 diff_ids');
  expect(server.seen.some(({ url }) => url.endsWith(digestOf(layer)))).toBe(false);
});

test('a config with other bytes than its digest says', async () => {
  const spoilt = Buffer.from(config().toString().replace('linux', 'linuz'));
  const answers = { 'manifests/1': manifestOf(), [digestOf(config())]: spoilt };
  await expect(pullFrom(answers)).rejects.toThrow('came as');
});

/** @param more of the layer's descriptor. */
const withLayer = (answer: Answers[string], more = {}): Answers => ({
  'manifests/1': manifestOf({ layers: [{ ...of(layer, types.layer), ...more }] }),
  [digestOf(config())]: config(),
  [digestOf(layer)]: answer,
});

test('more bytes than the manifest says: by the header, and without one', async () => {
  const long = Buffer.concat([layer, layer]);
  await expect(pullFrom(withLayer(long))).rejects.toThrow('is to have 10 bytes, and 20 are sent');
  const endless = (response: ServerResponse) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(layer), 1);
    response.on('close', () => clearInterval(timer));
  };
  await expect(pullFrom(withLayer(endless))).rejects.toThrow('more than the 10 bytes');
  expect(readdirSync(store.partial)).toEqual([]);
});

test('fewer bytes than the manifest says end as an error, not as a layer', async () => {
  await expect(pullFrom(withLayer(layer.subarray(0, 5)))).rejects.toThrow('ended after 5 of 10 bytes');
});

test('a layer larger than the disk is not begun', async () => {
  const huge = withLayer(layer, { size: 2 ** 52 });
  await expect(pullFrom(huge)).rejects.toThrow(/take \d+ bytes, and \d+ are free/);
  expect(server.seen.some(({ url }) => url.endsWith(digestOf(layer)))).toBe(false);
});

test('a foreign layer is fetched from nowhere, and `urls` are never asked', async () => {
  await using elsewhere = await startProxy();
  elsewhere.fault = (_, response) => {
    response.end(layer);
    return 'answered';
  };
  const urls = [`http://${elsewhere.host}/layer`];
  const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
  await expect(pullFrom(withLayer(layer, { urls, mediaType }))).rejects.toThrow('to be had elsewhere only');
  const { [digestOf(layer)]: _, ...without } = withLayer(layer, { urls });
  await expect(pullFrom(without)).rejects.toThrow('404');
  expect(elsewhere.seen).toEqual([]);
});

const redirect = (location: string) => (response: ServerResponse) => {
  response.writeHead(307, { location }).end();
};

test.each([
  ['file:///etc/passwd', 'neither https nor http'],
  ['data:text/plain,x', 'neither https nor http'],
  ['http://user:pass@127.0.0.1/', 'a name or password'],
  ['http://registry.example/x', 'plain http'],
  ['http://', 'is no URL'],
  ['/v2/some/app/manifests/1', 'redirects without end'],
])('a redirect to %s is not followed', async (location, why) => {
  await expect(pullFrom({ 'manifests/1': redirect(location) })).rejects.toThrow(why);
});

test.each([
  ['https://registry.example', 'http://registry.example/x', 'leaves https'],
  ['https://registry.example', 'https://127.0.0.1/x', 'this machine itself'],
  ['https://registry.example', 'https://localhost:5000/x', 'this machine itself'],
  ['https://registry.example', 'https://2130706433/x', 'this machine itself'],
  ['https://registry.example', 'https://0x7f.1/x', 'this machine itself'],
  ['https://registry.example', 'https://[::ffff:127.0.0.1]/x', 'this machine itself'],
  ['https://registry.example', 'https://169.254.169.254/latest/meta-data', 'this machine itself'],
  ['https://registry.example', 'https://[fe80::1]/x', 'this machine itself'],
  ['https://registry.example', 'gopher://x', 'neither https nor http'],
])('from %s, %s is not gone to', (from, to, why) => {
  expect(() => placeNamedBy(new URL(from), to, 'redirect', true)).toThrow(why);
});

test('what is fine: another host by https, a relative one, loopback from loopback', () => {
  const from = new URL('https://registry.example/v2/');
  expect(placeNamedBy(from, 'https://cdn.example/x?y=z', 'redirect', false).href).toBe(
    'https://cdn.example/x?y=z',
  );
  expect(placeNamedBy(from, '/other', 'redirect', false).href).toBe('https://registry.example/other');
  const local = new URL('http://localhost:5000/');
  expect(placeNamedBy(local, 'http://127.0.0.1:1/', 'redirect', false).host).toBe('127.0.0.1:1');
});

test.each([
  [
    'a token server without https elsewhere',
    'Bearer realm="http://tokens.example/t",service="s"',
    'plain http',
  ],
  ['a token server that is a file', 'Bearer realm="file:///etc/passwd"', 'neither https nor http'],
  ['no realm', 'Bearer service="s"', 'does not say from whom'],
  ['a scheme that nobody knows', 'Negotiate', 'no known kind'],
  ['nothing', '', 'no known kind'],
  ['rubbish', '"""=,,,=====', 'no known kind'],
])('%s', async (_, challenge, why) => {
  const answer = (response: ServerResponse) =>
    response.writeHead(401, { 'www-authenticate': challenge }).end();
  await expect(pullFrom({ 'manifests/1': answer })).rejects.toThrow(new RegExp(why));
});

test('tags that exist are told, and what is none of a tag is not', async () => {
  const tags = ['1.0', 'latest', '\u001b[31m', '../x', 5, null];
  await expect(pullFrom({ 'tags/list': json({ tags }) })).rejects.toThrow(
    'there is no tag 1; there are: 1.0, latest',
  );
  await expect(pullFrom({ 'tags/list': json(null) })).rejects.toThrow('none');
  await expect(pullFrom({})).rejects.toThrow('nor is there such a repository');
});
