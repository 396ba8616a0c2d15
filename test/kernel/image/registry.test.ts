/** tslab image pull and push as commands: what they print, how they end, and what a killed one leaves. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';
import { ImageHost } from '../../support/image-host.ts';
import {
  blobsOf,
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

const root = process.getuid?.() === 0;
const folder = temporaryFolder();
let registry: RealRegistry;
let proxy: Server;
let sample: Sample;
let host: ImageHost;
let big: { digest: string; size: number };

beforeAll(async () => {
  if (!root || !hasRegistry || !hasSkopeo) return;
  registry = await startRegistry(join(folder.path, 'registry'));
  proxy = await startProxy(registry.host);
  sample = makeSample(join(folder.path, 'sample'), [3_000_000, 10_000]);
  big = sample.layers[0] ?? { digest: '', size: 0 };
  await sendTo(registry.host, 'some/app:1', sample);
});
beforeEach((ctx) => {
  ctx.skip(!root, 'needs root');
  ctx.skip(!hasRegistry, 'needs docker-registry');
  ctx.skip(!hasSkopeo, 'needs skopeo');
  host = new ImageHost();
  proxy.seen.length = 0;
  proxy.fault = undefined;
});
afterEach(() => host?.[Symbol.dispose]());
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** Not waited for in the call: the proxy is in this very process. The child's pid is that of tslab itself. */
function begin(
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const [first = '', ...rest] = [...host.prefix(), join(packageRoot, 'bin/tslab'), ...args];
  const child = spawn(first, rest, { cwd: '/', env: { ...process.env, ...env } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (err += text));
  child.stdin.end(env.STDIN);
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, out, err }));
  return { child, ended };
}
const tslab = (...args: string[]) => begin(args).ended;
const name = () => `${proxy.host}/some/app:1`;
const isWhole = () => {
  const blobs = blobsOf(host.store.folder);
  for (const [digest, is] of blobs) expect(is).toBe(digest);
  for (const { digest } of sample.layers) expect(blobs.has(digest)).toBe(true);
};
/** Until the proxy has sent that much of the big layer. */
async function sent(bytes: number): Promise<void> {
  while (!proxy.seen.some(({ url, sent }) => url.endsWith(big.digest) && sent >= bytes))
    await new Promise((resolve) => setTimeout(resolve, 5));
}

test('pull, list, push under another name: skopeo sees the same digest there', async () => {
  const pulled = await tslab('image', 'pull', name());
  expect(pulled).toMatchObject({ code: 0, out: `${proxy.host}/some/app@${sample.digest}\n` });
  for (const { digest } of sample.layers)
    expect(pulled.err).toMatch(new RegExp(`${digest.slice(7, 19)} .*done`));
  expect((await tslab('image', 'ls')).out).toContain('some/app:1');
  const pushed = await tslab('image', 'push', '-q', name(), `${proxy.host}/pushed/there:2`);
  expect(pushed).toMatchObject({ code: 0, out: `${proxy.host}/pushed/there@${sample.digest}\n`, err: '' });
  const there = await skopeo('inspect', '--tls-verify=false', `docker://${registry.host}/pushed/there:2`);
  expect(JSON.parse(there).Digest).toBe(sample.digest);
});

test('on a terminal there are bars, one below the other, and they are gone at the end', async () => {
  proxy.fault = ({ url }) => (url.includes('/blobs/') ? { slow: 20 } : undefined);
  const words = [...host.prefix(), join(packageRoot, 'bin/tslab'), 'image', 'pull', name()];
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', quoted, '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let shown = '';
  child.stdout.on('data', (text) => (shown += text));
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(shown).toMatch(/\[=+ +\] {2}[\d.]+[KM]iB \/ 2\.9MiB/);
  const last = shown.slice(shown.lastIndexOf('\x1b[J'));
  expect(last).not.toContain('[=');
  expect(last).toContain(sample.digest);
});

test.each([
  ['no such host', 'nosuch.invalid/app', /nosuch\.invalid: (no such host|no name server).*tslab image load/],
  ['nothing there', '127.0.0.1:4999/app', /127\.0\.0\.1:4999: nothing listens there \(ECONNREFUSED\)/],
  ['no name', 'App', /small letters/],
])('%s: exit status 1 and what to do', async (_, wrong, why) => {
  const { code, err } = await tslab('image', 'pull', wrong);
  expect(code).toBe(1);
  expect(err).toMatch(why);
  expect(err.trim().split('\n')).toHaveLength(1);
});

test('no such tag: those that there are', async () => {
  const { code, err } = await tslab('image', 'pull', `${proxy.host}/some/app:2`);
  expect(code).toBe(1);
  expect(err).toContain('there is no tag 2; there are: 1');
});

test('killed in the middle by SIGKILL, the next pull fetches what was missing and no byte more', async () => {
  proxy.fault = ({ url }) => (url.endsWith(big.digest) ? { slow: 20 } : undefined);
  const { child, ended } = begin(['image', 'pull', name()]);
  await sent(1_000_000);
  child.kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
  const [partial = ''] = readdirSync(host.store.partial).filter((file) => file.includes(big.digest.slice(7)));
  const { size } = statSync(join(host.store.partial, partial));
  expect(size).toBeGreaterThan(500_000);
  expect(host.store.images()).toEqual([]);

  proxy.seen.length = 0;
  expect((await tslab('image', 'pull', name())).code).toBe(0);
  isWhole();
  const again = proxy.seen.filter(({ url }) => url.endsWith(big.digest));
  expect(again.map(({ headers }) => headers.range)).toEqual([`bytes=${size}-`]);
  expect(again[0]?.sent).toBe(big.size - size);
  expect(readdirSync(host.store.partial)).toEqual([]);
});

test('Ctrl-C: status 130, one sentence, and what came stays', async () => {
  proxy.fault = ({ url }) => (url.endsWith(big.digest) ? { slow: 20 } : undefined);
  const { child, ended } = begin(['image', 'pull', name()]);
  await sent(500_000);
  child.kill('SIGINT');
  const { code, err } = await ended;
  expect(code).toBe(130);
  expect(err).toMatch(/^tslab: stopped; what came is kept/m);
  expect(readdirSync(host.store.partial)).toHaveLength(1);
});

test('several pulls of the same image at once: all end well, no blob is spoilt', async () => {
  proxy.fault = ({ url }) => (url.includes('/blobs/') ? { slow: 5 } : undefined);
  const all = await Promise.all([1, 2, 3].map(() => tslab('image', 'pull', name())));
  expect(all.map(({ code, err }) => (code === 0 ? 0 : err))).toEqual([0, 0, 0]);
  isWhole();
  expect(host.store.images()).toHaveLength(1);
  expect(readdirSync(host.store.partial)).toEqual([]);
});

test('a password by standard input, and by a file; it is in no output', async () => {
  const htpasswd = { realm: 'tests', path: join(folder.path, 'htpasswd') };
  await using guarded = await startRegistry(join(folder.path, 'guarded'), { htpasswd });
  const password = /password=(\S+)/.exec(guarded.output())?.[1] ?? '';
  await skopeo(
    'copy',
    '-q',
    '--dest-creds',
    `docker:${password}`,
    '--dest-tls-verify=false',
    `oci:${sample.layout}:latest`,
    `docker://${guarded.host}/a:1`,
  );
  const app = `${guarded.host}/a:1`;
  const nobody = await tslab('image', 'pull', app);
  expect(nobody).toMatchObject({
    code: 1,
    err: expect.stringContaining('it wants a login; no user is known'),
  });
  const typed = begin(['image', 'pull', '--creds', 'docker', '--password-stdin', app], {
    STDIN: `${password}\n`,
  });
  expect((await typed.ended).code).toBe(0);
  const file = join(folder.path, 'auth.json');
  writeFileSync(
    file,
    JSON.stringify({
      auths: { [guarded.host]: { auth: Buffer.from(`docker:${password}`).toString('base64') } },
    }),
  );
  const kept = await begin(['image', 'pull', app], { REGISTRY_AUTH_FILE: file }).ended;
  expect(kept.code).toBe(0);
  const wrong = await begin(['image', 'pull', '--creds', 'docker:open sesame', app]).ended;
  expect(wrong.code).toBe(1);
  expect(wrong.err + wrong.out).not.toContain('sesame');
});

test('the environment’s proxy is heeded, also for names that only the proxy knows', async () => {
  const asked: string[] = [];
  const forward = http.createServer((request, response) => {
    asked.push(`${request.url}`);
    const { pathname, search } = new URL(`${request.url}`);
    const { hostname, port } = new URL(`http://${registry.host}`);
    http
      .get(
        { hostname, port, path: pathname + search, headers: { accept: request.headers.accept } },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        },
      )
      .on('error', () => response.destroy());
  });
  forward.on('connect', (request, socket) => {
    asked.push(`${request.url}`);
    const { hostname, port } = new URL(`http://${registry.host}`);
    const further = net.connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      further.pipe(socket).pipe(further);
    });
    for (const one of [further, socket]) one.on('error', () => further.destroy());
  });
  forward.listen(0, '127.0.0.1');
  await once(forward, 'listening');
  const { port } = forward.address() as net.AddressInfo;
  const env = { HTTP_PROXY: `http://127.0.0.1:${port}`, http_proxy: '', NO_PROXY: '', no_proxy: '' };
  const { code, err } = await begin(['image', 'pull', '--plain-http', 'registry.invalid/some/app:1'], env)
    .ended;
  expect(err).not.toContain('tslab:');
  expect(code).toBe(0);
  expect(asked.join()).toContain('registry.invalid');
  forward.closeAllConnections();
  forward.close();
});

/** In a network namespace with an address that is not loopback's, where plain http must be asked for. */
test('https: whom tslab believes; plain http is asked for', { timeout: 60_000 }, async () => {
  const at = join(folder.path, 'tls');
  mkdirSync(at);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: at, stdio: 'ignore' });
  const key = (file: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${file}.key`];
  openssl('req', '-x509', ...key('ca'), '-out', 'ca.pem', '-subj', '/CN=our own', '-days', '1');
  openssl('req', ...key('tls'), '-out', 'tls.csr', '-subj', '/CN=registry');
  writeFileSync(join(at, 'ext'), 'subjectAltName=IP:192.0.2.1\n');
  const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext', '-days', '1'];
  openssl('x509', '-req', '-in', 'tls.csr', ...sign, '-out', 'tls.pem');
  const config = (port: number, tls?: object) => ({
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(at, 'storage') } },
    http: { addr: `192.0.2.1:${port}`, ...(tls && { tls }) },
  });
  const tls = { certificate: join(at, 'tls.pem'), key: join(at, 'tls.key') };
  writeFileSync(join(at, 'tls.yml'), JSON.stringify(config(5001, tls)));
  writeFileSync(join(at, 'plain.yml'), JSON.stringify(config(5002)));
  const script = `
    ip link set lo up && ip address add 192.0.2.1/32 dev lo || exit 1
    docker-registry serve tls.yml >tls.log 2>&1 & one=$!
    docker-registry serve plain.yml >plain.log 2>&1 & two=$!
    trap 'kill $one $two' EXIT
    for i in 1 2 3 4 5 6 7 8 9 10; do grep -q listening tls.log && grep -q listening plain.log && break; sleep 0.3; done
    try() { echo "$1:"; shift; env "$@" 2>&1; }
    try nobody tslab image pull 192.0.2.1:5001/a
    try system SSL_CERT_FILE=$PWD/ca.pem SSL_CERT_DIR=/nonexistent tslab image pull 192.0.2.1:5001/a
    try extra NODE_EXTRA_CA_CERTS=$PWD/ca.pem tslab image pull 192.0.2.1:5001/a
    try unasked tslab image pull 192.0.2.1:5002/a
    try asked tslab image pull --plain-http 192.0.2.1:5002/a
    exit 0`;
  const inside = ['unshare', '--net', 'sh', '-c', script];
  const [first = '', ...rest] = [...host.prefix(), ...inside];
  const env = { ...process.env, PATH: `${join(packageRoot, 'bin')}:${process.env.PATH}` };
  const text = execFileSync(first, rest, { cwd: at, encoding: 'utf8', env, timeout: 50_000 });
  const said = Object.fromEntries(
    text.split(/^(?=\w+:\n)/m).map((part) => part.split(':\n') as [string, string]),
  );
  expect(said.nobody).toMatch(/nobody known vouches for its certificate; NODE_EXTRA_CA_CERTS=FILE/);
  for (const trusted of [said.system, said.extra, said.asked])
    expect(trusted).toContain('nor is there such a repository');
  expect(said.unasked).toMatch(/does not speak https; .*--plain-http/);
});
