/** A learner's own stages under the commands that run containers: what they ask for is what the kernel shows. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';
import { Bundle, list } from '../../support/oci.ts';

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));

/** Names the container after itself, whatever the config says, and says so. */
const renaming = `import { type Spec, namespace, newNamespace } from 'tslab';
export default function uts(spec: Spec) {
  console.log('asked for', spec.hostname);
  if (!namespace(spec, 'uts')) return [];
  return [...newNamespace(spec, 'uts'), { at: 'child', phase: 'names', kind: 'sethostname', name: 'learners' }];
}
`;

function withStage(name: string, source: string, args = ['hostname']): { bundle: Bundle; folder: string } {
  const bundle = new Bundle().config(args);
  const folder = bundle.path('stages');
  mkdirSync(folder);
  writeFileSync(join(folder, `${name}.ts`), source);
  return { bundle, folder };
}

test('by option and by variable, for run, create and what is started', async () => {
  const { bundle: made, folder } = withStage('uts', renaming);
  using bundle = made;
  expect(bundle.oci('run', 'one').stdout).toBe('tslab\n');
  const ran = bundle.oci('--stages', folder, 'run', 'one');
  expect(ran.stdout).toBe('learners\n');
  expect(ran.stderr).toMatch(/warning: .*uts\.ts: asked for tslab/);
  const env = `TSLAB_STAGES=${folder}`;
  expect(bundle.ociWith({ env }, 'create', 'one').status).toBe(0);
  bundle.ociWith({ env }, 'start', 'one');
  await expect.poll(() => bundle.output()).toBe('learners\n');
});

test('tslab run --stages', () => {
  const { bundle: made, folder } = withStage('uts', renaming);
  using bundle = made;
  const words = ['run', '--stages', folder, '--rootfs', bundle.path('rootfs'), '--', 'hostname'];
  expect(spawnSync(join(packageRoot, 'bin/tslab'), words, { encoding: 'utf8' }).stdout).toBe('learners\n');
});

test('its code is not run as root, and sees no file of this host', () => {
  const looking = `import { readdirSync } from 'node:fs';
export default () => { throw new Error(process.getuid() + readdirSync('/').join()); };`;
  const { bundle: made, folder } = withStage('uts', looking);
  using bundle = made;
  const { status, stderr } = bundle.oci('--stages', folder, 'run', 'one');
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/uts\.ts:1: node:fs/);
  expect(list(bundle.root)).toEqual([]);
});

test.each([
  [
    'a program of the host',
    `[{ at: 'host', phase: 'prepare', kind: 'spawn', path: '/bin/sh', argv: [], envp: [], input: '', timeout: 0 }]`,
    /uts\.ts: step 1 of 1 \(spawn\)/,
  ],
  [
    'a path of the host',
    `[{ at: 'child', phase: 'mounts', kind: 'mount', source: '/etc', target: '/mnt', flags: ['MS_BIND'] }]`,
    /uts\.ts: .*"\/etc" is not of this container/,
  ],
  [
    'another program',
    `[{ at: 'child', phase: 'exec', kind: 'exec', argv: ['sh'], envp: [] }]`,
    /uts\.ts: .*argv/,
  ],
  ['no steps', `'nothing'`, /uts\.ts: the stage returned "nothing"/],
])('its answer is validated: %s', (_, drafts, message) => {
  const { bundle: made, folder } = withStage('uts', `export default () => (${drafts});`);
  using bundle = made;
  expect(bundle.oci('--stages', folder, 'create', 'one').stderr).toMatch(message);
  expect(list(bundle.root)).toEqual([]);
});

test('of several files one is wrong: nothing of the others is left', () => {
  const { bundle: made, folder } = withStage('uts', renaming);
  using bundle = made;
  writeFileSync(join(folder, 'ipc.ts'), 'export default () => { throw new Error("mine"); };');
  expect(bundle.oci('--stages', folder, 'run', 'one').stderr).toMatch(/ipc\.ts:1:.*mine/);
  expect(list('/var/lib/tslab/course')).toEqual([]);
});

test('a folder without one, a link in the place of one', () => {
  const { bundle: made, folder } = withStage('uts', renaming);
  using bundle = made;
  expect(bundle.oci('--stages', bundle.dir, 'run', 'one').stderr).toMatch(
    /there is none of process\.ts, chroot\.ts/,
  );
  symlinkSync(join(folder, 'uts.ts'), join(folder, 'pid.ts'));
  expect(bundle.oci('--stages', folder, 'run', 'one').stderr).toMatch(/pid\.ts: is a symbolic link/);
  expect(readdirSync(folder)).toHaveLength(2);
});
