/** An IPC namespace that is shared by path, and what a mount shows of it (mq_overview(7), ipc_namespaces(7)). */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { messageQueues } from '../../../src/evidence/ipc.ts';
import { type Container, defaultSpec, start } from '../../../src/index.ts';
import type { Spec } from '../../../src/oci/spec.ts';
import { copyRootfs } from '../../../src/runtime/rootfs.ts';

let folder: string;
let first: Container;
beforeEach(async (ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  folder = mkdtempSync(join(tmpdir(), 'tslab-test-'));
  first = await begin('first');
});
afterEach(async () => {
  await first?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

function begin(name: string, change: (spec: Spec) => void = () => {}): Promise<Container> {
  const rootfs = copyRootfs(join(folder, name));
  const spec = defaultSpec({ args: ['sh', '-c', `touch /dev/mqueue/${name} && exec sleep 100`], rootfs });
  change(spec);
  return start(spec, { stdio: ['ignore', 'ignore', 'ignore'] });
}

const ofFirst = (spec: Spec) => {
  const others = spec.linux?.namespaces?.filter(({ type }) => type !== 'ipc') ?? [];
  const path = `/proc/${first.pid}/ns/ipc`;
  spec.linux = { ...spec.linux, namespaces: [...others, { type: 'ipc', path }] };
};

const shownIn = (container: Container) => readdirSync(`/proc/${container.pid}/root/dev/mqueue`).sort();

test('a container that joins another’s has its queues, also at /dev/mqueue', async () => {
  const second = await begin('second', ofFirst);
  try {
    await expect.poll(() => shownIn(first)).toEqual(['first', 'second']);
    expect(shownIn(second)).toEqual(['first', 'second']);
    expect(messageQueues(second.pid)?.sort()).toEqual(['first', 'second']);
  } finally {
    await second.stop();
  }
});

test('one with a namespace of its own has its own queues alone', async () => {
  const second = await begin('second');
  try {
    await expect.poll(() => messageQueues(second.pid)).toEqual(['second']);
    expect(shownIn(second)).toEqual(['second']);
    await expect.poll(() => shownIn(first)).toEqual(['first']);
  } finally {
    await second.stop();
  }
});

test('without one of its own, its mount shows the host’s', async () => {
  const second = await begin('second', (spec) => {
    const others = spec.linux?.namespaces?.filter(({ type }) => type !== 'ipc') ?? [];
    spec.linux = { ...spec.linux, namespaces: others };
    if (spec.process) spec.process.args = ['sleep', '100'];
  });
  try {
    expect(shownIn(second)).toEqual(messageQueues(process.pid));
  } finally {
    await second.stop();
  }
});
