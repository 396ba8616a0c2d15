/** What networks do to a pull: a proxy before the real registry cuts, stalls, spoils, limits and forgets. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseReference } from '../../../src/image/reference.ts';
import { type PullOptions, pull } from '../../../src/image/registry/pull.ts';
import { Store } from '../../../src/image/store/store.ts';
import {
  blobsOf,
  type Fault,
  hasRegistry,
  hasSkopeo,
  layoutOf,
  makeSample,
  type RealRegistry,
  type Sample,
  type Server,
  sendTo,
  startProxy,
  startRegistry,
  temporaryFolder,
} from '../../support/registry.ts';

const folder = temporaryFolder();
let registry: RealRegistry;
let proxy: Server;
let sample: Sample;
let store: Store;
let count = 0;
const BIG = 3_000_000;
/** The digest of the one layer that is worth cutting. */
let big: string;

beforeAll(async () => {
  if (!hasRegistry || !hasSkopeo) return;
  registry = await startRegistry(join(folder.path, 'registry'));
  proxy = await startProxy(registry.host);
  sample = makeSample(join(folder.path, 'sample'), [BIG, 10_000]);
  big = sample.layers[0]?.digest ?? '';
  await sendTo(registry.host, 'some/app:1', sample);
  await sendTo(registry.host, 'some/app:2', sample);
});
beforeEach((ctx) => {
  ctx.skip(!hasRegistry, 'needs docker-registry');
  ctx.skip(!hasSkopeo, 'needs skopeo');
  store = new Store(join(folder.path, `store-${++count}/images`));
  proxy.seen.length = 0;
});
afterEach(() => store?.close());
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const patience = { first: 10, tries: 4 };
function pullThrough(fault: Fault, options: PullOptions = {}) {
  proxy.fault = fault;
  return pull(parseReference(`${proxy.host}/some/app:1`), store, { patience, stall: 2000, ...options });
}
const asked = () => proxy.seen.filter(({ url }) => url.endsWith(big));
const isWhole = () => {
  const blobs = blobsOf(store.folder);
  for (const { digest } of sample.layers) expect(blobs.get(digest)).toBe(digest);
  expect(readdirSync(store.partial)).toEqual([]);
};

test('a connection cut in the middle of a blob goes on where it was cut', async () => {
  let cuts = 0;
  await pullThrough(({ url }) => (url.endsWith(big) && ++cuts <= 3 ? { cutAfter: 700_000 } : undefined));
  isWhole();
  expect(asked().length).toBe(4);
  expect(asked().map(({ headers }) => headers.range)).toEqual([
    undefined,
    ...[700_000, 1_400_000, 2_100_000].map((from) => `bytes=${from}-`),
  ]);
  const total = asked().reduce((sum, { sent }) => sum + sent, 0);
  expect(total).toBe(sample.layers[0]?.size);
});

test('a pull that could not end leaves what came, and the next one goes on from there', async () => {
  const cutting = pullThrough(({ url }) => (url.endsWith(big) ? { cutAfter: 20_000 } : undefined));
  await expect(cutting).rejects.toThrow(/127\.0\.0\.1/);
  const [partial = ''] = readdirSync(store.partial);
  const { size } = statSync(join(store.partial, partial));
  expect(size).toBe(80_000); // four attempts, none of which got far enough to count as progress
  proxy.seen.length = 0;
  await pullThrough(() => undefined);
  isWhole();
  expect(asked().map(({ headers }) => headers.range)).toEqual(['bytes=80000-']);
});

test('a server that ignores Range: from the beginning, and right all the same', async () => {
  let first = true;
  await pullThrough(({ url }) => {
    if (!url.endsWith(big)) return undefined;
    if (!first) return { dropRequestHeaders: ['range'] };
    first = false;
    return { cutAfter: 1_000_000 };
  });
  isWhole();
  expect(asked().map(({ sent }) => sent)).toEqual([1_000_000, sample.layers[0]?.size]);
});

test('an answer for another range than was asked for is refused', async () => {
  let first = true;
  const wrong = pullThrough(({ url }) => {
    if (!url.endsWith(big)) return undefined;
    if (!first) return { headers: { 'content-range': 'bytes 5-10/11' } };
    first = false;
    return { cutAfter: 1_000_000 };
  });
  await expect(wrong).rejects.toThrow('asked for the bytes from 1000000 on, it answers with others');
});

test('what lay in partial/ and was spoilt is not believed: once more from the beginning', async () => {
  store.hold();
  writeFileSync(join(store.partial, big.replace(':', '-')), Buffer.alloc(500_000, 'x'));
  await pullThrough(() => undefined);
  isWhole();
  expect(asked().map(({ headers }) => headers.range)).toEqual(['bytes=500000-', undefined]);
});

test('wrong bytes are an error that names the digest, and nothing of them stays', async () => {
  const wrong = pullThrough(({ url }) =>
    url.endsWith(big) ? { change: (chunk) => Buffer.from(chunk.map((byte) => byte ^ 1)) } : undefined,
  );
  await expect(wrong).rejects.toThrow(big);
  expect(store.has(big)).toBe(false);
  expect(readdirSync(store.partial).filter((name) => name.includes(big.slice(7)))).toEqual([]);
  expect(store.images()).toEqual([]);
});

test('a manifest of another digest than the one asked for, or than the header says', async () => {
  const spoil: Fault = ({ url }) =>
    url.includes('/manifests/')
      ? { change: (chunk) => Buffer.from(`${chunk}`.replace('"layers"', '"Layers"')) }
      : undefined;
  proxy.fault = spoil;
  const byDigest = parseReference(`${proxy.host}/some/app@${sample.digest}`);
  await expect(pull(byDigest, store, { patience })).rejects.toThrow(`not ${sample.digest}`);
  await expect(pullThrough(spoil)).rejects.toThrow(`not ${sample.digest}`);
});

test('429 with Retry-After: waits that long, and says so', async () => {
  let first = 0;
  const notes: string[] = [];
  const limit: Fault = ({ url }, response) => {
    if (!url.endsWith(big) || first) return undefined;
    first = performance.now();
    response.writeHead(429, { 'retry-after': '1' }).end();
    return 'answered';
  };
  let second = 0;
  await pullThrough(
    (seen, response) => {
      if (first && seen.url.endsWith(big)) second = performance.now();
      return limit(seen, response);
    },
    { note: (text) => notes.push(text) },
  );
  isWhole();
  expect(second - first).toBeGreaterThanOrEqual(990);
  expect(notes.join()).toMatch(/429.*again in 1\.0 s/);
});

test('a Retry-After of an hour is not waited for', async () => {
  const limited = pullThrough((_, response) => {
    response.writeHead(429, { 'retry-after': '3600' }).end();
    return 'answered';
  });
  await expect(limited).rejects.toThrow(/429.*limits how often/);
  expect(proxy.seen.length).toBe(1);
});

test('500, 502, 503, and then it works; for manifests, configs and layers alike', async () => {
  const statuses = new Map<string, number[]>();
  await pullThrough(({ url }, response) => {
    const left = statuses.get(url) ?? [500, 502, 503];
    statuses.set(url, left.slice(1));
    if (left.length === 0) return undefined;
    response.writeHead(left[0] ?? 0).end();
    return 'answered';
  });
  isWhole();
});

test('what goes on being wrong ends, with the status and the host', async () => {
  const broken = pullThrough((_, response) => {
    response
      .writeHead(503)
      .end('{"errors":[{"code":"UNAVAILABLE","message":"come \\u001b[31mback\\u202e"}]}');
    return 'answered';
  });
  await expect(broken).rejects.toThrow('503: "come \\u001b[31mback\\u{202e}"');
  expect(proxy.seen.length).toBe(patience.tries);
});

test('a transfer that stalls is given up, and goes on where it stopped', async () => {
  let first = true;
  await pullThrough(
    ({ url }) => {
      if (!url.endsWith(big) || !first) return undefined;
      first = false;
      return { stallAfter: 1_000_000 };
    },
    { stall: 300 },
  );
  isWhole();
  expect(asked().map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=1000000-']);
});

test('an answer that never begins is given up as well', async () => {
  const silent = pullThrough(() => 'answered', { stall: 100 });
  await expect(silent).rejects.toThrow('nothing came for 0.1 s');
});

test('stopping a pull keeps what came', async () => {
  const stop = new AbortController();
  const stopped = pullThrough(({ url }) => (url.endsWith(big) ? { slow: 30 } : undefined), {
    signal: stop.signal,
    moved: ({ digest, done }) => {
      if (digest === big && done > 500_000) stop.abort(new Error('stopped'));
    },
  });
  await expect(stopped).rejects.toThrow('stopped');
  const [partial = ''] = readdirSync(store.partial);
  expect(statSync(join(store.partial, partial)).size).toBeGreaterThan(500_000);
});

test('a layer that is there already is not asked for', async () => {
  await pullThrough(() => undefined);
  proxy.seen.length = 0;
  await pull(parseReference(`${proxy.host}/some/app:2`), store);
  expect(proxy.seen.map(({ url }) => url)).toEqual(['/v2/some/app/manifests/2']);
});

test('three layers at once, and no more', async () => {
  const many = makeSample(
    join(folder.path, `many-${count}`),
    [1, 2, 3, 4, 5, 6, 7].map((size) => size * 50_000),
  );
  await sendTo(registry.host, 'some/many:1', many);
  const moving = new Set<string>();
  let most = 0;
  proxy.fault = ({ url }) => (url.includes('/blobs/') ? { slow: 20 } : undefined);
  await pull(parseReference(`${proxy.host}/some/many:1`), store, {
    moved: ({ digest, state }) => {
      if (state === 'moving') moving.add(digest);
      else moving.delete(digest);
      most = Math.max(most, moving.size);
    },
  });
  expect(most).toBe(3);
});

test('a layer that is in the image twice comes once', async () => {
  const tar = execFileSync('tar', ['-C', import.meta.dirname, '-c', 'faults.test.ts']);
  const twice = layoutOf(join(folder.path, 'twice'), [tar, tar]);
  await sendTo(registry.host, 'some/twice:1', twice);
  proxy.fault = undefined;
  await pull(parseReference(`${proxy.host}/some/twice:1`), store);
  expect(proxy.seen.filter(({ url }) => url.endsWith(`${twice.layers[0]?.digest}`))).toHaveLength(1);
});
