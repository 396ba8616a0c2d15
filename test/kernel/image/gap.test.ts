/** A container that is being made, and a prune at the same moment: either the layers stay, or the container is not made. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';
import { ImageHost } from '../../support/image-host.ts';

let host: ImageHost;
let prune: ChildProcess | undefined;
beforeEach(() => {
  host = new ImageHost();
});
afterEach(() => {
  prune?.kill('SIGKILL');
  host[Symbol.dispose]();
});

const NAME = 'example.org/gap:1';
const containers = () => join(host.data, 'containers');

/** A prune that has begun to look, and waits in the middle of that until feed() gives it the record of an older container. */
async function beginPrune(): Promise<{ feed: () => void }> {
  const fifo = join(containers(), 'older/container.json');
  mkdirSync(join(containers(), 'older'), { recursive: true });
  execFileSync('mkfifo', [fifo]);
  host.store.close();
  const [program = '', ...words] = [...host.prefix(), join(packageRoot, 'bin/tslab')];
  prune = spawn(program, [...words, 'image', 'rm', NAME], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(prune.stdout as NodeJS.ReadableStream, 'data'); // untagged
  while (!existsSync(join(host.store.partial, 'pruning'))) await sleep(2);
  await sleep(100);
  return { feed: () => writeFileSync(fifo, '{}') };
}

/** find.ts by itself, seen from a process with the host's data folder. */
function starter(): ChildProcess {
  const script = `
    import { writeFileSync, mkdirSync } from 'node:fs';
    import { findImage, stillThere } from '${packageRoot}/src/image/find.ts';
    const found = await findImage('${NAME}');
    console.log('found');
    process.stdin.once('data', () => {
      mkdirSync('/var/lib/tslab/containers/new', { recursive: true });
      const annotations = { 'org.tslab.overlay.lower': JSON.stringify(found.layers) };
      writeFileSync('/var/lib/tslab/containers/new/container.json', JSON.stringify({ spec: { annotations } }));
      console.log('described');
      try { stillThere(found); console.log('kept'); } catch (error) { console.log(error.message); }
      process.exit();
    });`;
  const [program = '', ...words] = [...host.prefix(), process.execPath];
  return spawn(program, [...words, '--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

const says = async (child: ChildProcess) =>
  String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0]).trim();

test('a prune that looked before the container was written down takes the layers, and no container is made of what is left', async () => {
  const layers = host.image(NAME, {}, { 'etc/new': 'x' });
  const child = starter();
  expect(await says(child)).toBe('found');
  const { feed } = await beginPrune();
  child.stdin?.write('go');
  expect(await says(child)).toBe('described');
  // The prune is not over, so neither is the wait; it did not see the new one.
  await sleep(200);
  expect(child.exitCode).toBe(null);
  expect(layers.every((path) => existsSync(path))).toBe(true);
  feed();
  expect(await says(child)).toMatch(
    /image example.org\/gap:1: it was removed while the container was made; try again/,
  );
  expect(existsSync(layers[0] ?? '')).toBe(false);
});

test('a prune that looks afterwards leaves them', async () => {
  const layers = host.image(NAME, {}, { 'etc/new': 'x' });
  const child = starter();
  await says(child);
  child.stdin?.write('go');
  let all = '';
  while (!all.includes('kept')) all += await says(child);
  const { feed } = await beginPrune();
  feed();
  await once(prune as ChildProcess, 'exit');
  expect(layers.every((path) => existsSync(path))).toBe(true);
});

test('run asks, too: no container is made, and its folder goes', async () => {
  const layers = host.image(NAME, { Cmd: ['true'] }, { 'etc/new': 'x' });
  const index = join(host.store.folder, 'index.json');
  const named = readFileSync(index);
  const { feed } = await beginPrune();
  const unnamed = readFileSync(index);
  writeFileSync(index, named); // as run found it a moment ago
  const [program = '', ...words] = [...host.prefix(), join(packageRoot, 'bin/tslab'), 'run', NAME];
  const run = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const made = () => readdirSync(containers()).filter((name) => name !== 'older');
  while (made().length === 0) await sleep(1);
  await sleep(300);
  expect(run.exitCode).toBe(null);
  writeFileSync(index, unnamed);
  feed();
  expect(String((await once(run.stderr as NodeJS.ReadableStream, 'data'))[0])).toMatch(
    /it was removed while/,
  );
  await once(run, 'exit');
  expect(made()).toEqual([]);
  expect(layers.some((path) => existsSync(path))).toBe(false);
});

test('what a killed prune left does not keep anybody waiting', async () => {
  host.image(NAME, { Cmd: ['true'] }, { 'etc/new': 'x' });
  await beginPrune();
  prune?.kill('SIGKILL');
  await once(prune as ChildProcess, 'exit');
  host.image(NAME, { Cmd: ['true'] }, { 'etc/new': 'x' });
  host.store.close();
  expect(existsSync(join(host.store.partial, 'pruning'))).toBe(true);
  expect(host.tslab('run', NAME)).toMatchObject({ stderr: '', status: 0 });
});
