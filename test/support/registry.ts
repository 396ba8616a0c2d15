/** A real registry on loopback, with a folder of its own; a proxy before it that can do what networks do; images to send. */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

export const hasRegistry = existsSync('/usr/bin/docker-registry');
export const hasSkopeo = spawnSync('skopeo', ['--version']).status === 0;

export const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export function temporaryFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'tslab-registry-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface RealRegistry extends AsyncDisposable {
  host: string;
  /** What it has printed; with htpasswd, the password that it made up. */
  output(): string;
}

/** @param auth the `auth` section of its configuration, as JSON (which is YAML). */
export async function startRegistry(folder: string, auth?: object): Promise<RealRegistry> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const config = {
    version: 0.1,
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: join(folder, 'storage') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: randomBytes(8).toString('hex') },
    ...(auth && { auth }),
  };
  const file = join(folder, 'config.yml');
  writeFileSync(file, JSON.stringify(config));
  const daemon = spawn('/usr/bin/docker-registry', ['serve', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [daemon.stdout, daemon.stderr]) stream?.on('data', (text) => (output += text));
  const host = `127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(host)); tries++) {
    if (tries > 200 || daemon.exitCode !== null) throw new Error(`docker-registry: ${output}`);
    await sleep(50);
  }
  return { host, output: () => output, [Symbol.asyncDispose]: () => ended(daemon) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const answers = (host: string) =>
  fetch(`http://${host}/v2/`).then(
    (answer) => answer.status < 500,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface Seen {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  /** Bytes of the body that were sent on to the client. */
  sent: number;
}

/** Instead of the registry's answer: handles it itself, or says what to do with the registry's. */
export type Fault = (seen: Seen, response: http.ServerResponse) => Meddling | 'answered' | undefined;

export interface Meddling {
  /** Bytes of the body after which the connection is cut. */
  cutAfter?: number;
  /** The same, but it stays open, and silent. */
  stallAfter?: number;
  change?: (chunk: Buffer) => Buffer;
  headers?: http.OutgoingHttpHeaders;
  status?: number;
  /** The registry's own Location, changed. */
  location?: (said: string) => string;
  /** The registry doesn't get to see these. */
  dropRequestHeaders?: string[];
  /** Bytes of the request's body after which the connection is cut. */
  cutUploadAfter?: number;
  /** Milliseconds between pieces of 64 KiB. */
  slow?: number;
  /** Milliseconds before the registry gets to see the request. */
  delay?: number;
}

export interface Server extends AsyncDisposable {
  host: string;
  seen: Seen[];
  /** Asked for each request; may be exchanged at any time. */
  fault: Fault | undefined;
}

/** @param target host and port; without one, whatever `fault` doesn't answer is 404. */
export async function startProxy(target?: string, fault?: Fault): Promise<Server> {
  const self: Pick<Server, 'seen' | 'fault'> = { seen: [], fault };
  const server = http.createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const seen: Seen = { method, url, headers, sent: 0 };
    self.seen.push(seen);
    const meddling = self.fault?.(seen, response);
    if (meddling === 'answered') return;
    if (target === undefined) return void response.writeHead(404).end();
    passOn(request, response, target, seen, meddling ?? {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return Object.assign(self as Server, {
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

function passOn(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  target: string,
  seen: Seen,
  meddling: Meddling,
): void {
  const { hostname, port } = new URL(`http://${target}`);
  const headers: http.IncomingHttpHeaders = { ...seen.headers };
  for (const name of meddling.dropRequestHeaders ?? []) delete headers[name];
  const further = http.request({ hostname, port, method: seen.method, path: seen.url, headers });
  further.on('error', () => response.destroy());
  response.on('close', () => further.destroy());
  further.on('response', (answer) => void answerWith(answer, response, seen, meddling));
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
    further.write(chunk);
    if (received > (meddling.cutUploadAfter ?? Number.POSITIVE_INFINITY)) {
      request.destroy();
      further.destroy();
    }
  });
  request.on('end', () => setTimeout(() => further.end(), meddling.delay));
}

async function answerWith(
  answer: http.IncomingMessage,
  response: http.ServerResponse,
  seen: Seen,
  { cutAfter, stallAfter, change, headers, status, slow, location = (said) => said }: Meddling,
): Promise<void> {
  const said = answer.headers.location;
  const moved = said === undefined ? {} : { location: location(said) };
  response.writeHead(status ?? answer.statusCode ?? 500, { ...answer.headers, ...moved, ...headers });
  const most = cutAfter ?? stallAfter ?? Number.POSITIVE_INFINITY;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const part = (change?.(chunk) ?? chunk).subarray(0, most - seen.sent);
      seen.sent += part.length;
      if (!response.write(part)) await once(response, 'drain');
      if (seen.sent >= most) break;
      if (slow) await sleep(slow);
    }
  } catch {
    return; // the client has gone
  }
  if (seen.sent < most) response.end();
  else if (cutAfter !== undefined) setTimeout(() => response.destroy(), 50); // what was written shall arrive
}

export interface Sample {
  /** An OCI layout, for skopeo: oci:PATH:latest. */
  layout: string;
  manifest: Buffer;
  digest: string;
  layers: { digest: string; size: number }[];
}

/**
 * An image as any builder makes one; its layers don't compress, so that their sizes are known.
 *
 * @param sizes of the files, one a layer.
 */
export function makeSample(folder: string, sizes: number[], architecture = 'amd64'): Sample {
  mkdirSync(folder, { recursive: true });
  const tars = sizes.map((size, i) => {
    const root = join(folder, `root-${i}`);
    mkdirSync(root);
    writeFileSync(join(root, `file-${i}`), randomBytes(size));
    return execFileSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 1 << 28 });
  });
  return layoutOf(folder, tars, architecture);
}

/** @param tars the layers, which may be the same ones. */
export function layoutOf(folder: string, tars: Buffer[], architecture = 'amd64'): Sample {
  const blobs = join(folder, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: Buffer) => {
    writeFileSync(join(blobs, digestOf(bytes).slice(7)), bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const layers = tars.map((tar) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    ...put(gzipSync(tar)),
  }));
  const rootfs = { type: 'layers', diff_ids: tars.map(digestOf) };
  const config = { architecture, os: 'linux', config: { Cmd: ['sh'] }, rootfs };
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...put(json(config)) },
    layers,
  });
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...put(manifest) };
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(folder, 'index.json'),
    json({ schemaVersion: 2, manifests: [{ ...entry, annotations }] }),
  );
  return { layout: folder, manifest, digest: entry.digest, layers };
}

export const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** Not waited for in the call: the servers that it speaks with may be in this very process. @throws Error with what it said. */
export async function skopeo(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('skopeo', [command, ...args], { timeout: 20_000 });
  return stdout;
}

export const sendTo = (host: string, name: string, { layout }: Sample) =>
  skopeo('copy', '--quiet', '--dest-tls-verify=false', `oci:${layout}:latest`, `docker://${host}/${name}`);

/** The very bytes of the blobs of a store, by digest. */
export const blobsOf = (store: string): Map<string, string> =>
  new Map(
    readdirSync(join(store, 'blobs/sha256')).map((hex) => [
      `sha256:${hex}`,
      digestOf(readFileSync(join(store, 'blobs/sha256', hex))),
    ]),
  );
