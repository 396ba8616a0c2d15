/** What /proc says of a process's privileges, and what is said of steps that come too late. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, expect, test } from 'vitest';
import { privileges } from '../../../src/evidence/privileges.ts';
import { type Stage, stages } from '../../../src/index.ts';
import type { Spec } from '../../../src/oci/spec.ts';
import { Lab } from '../../support/container.ts';

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));

test('capabilities have their names, in each set', async () => {
  const words = ['--bounding-set', '-all,+chown,+setfcap', '--inh-caps', '-all,+chown', '--no-new-privs'];
  const child = spawn('setpriv', [...words, 'sh', '-c', 'echo ready; exec sleep 1000']);
  try {
    await once(child.stdout, 'data');
    const { sets, noNewPrivileges } = privileges(child.pid ?? 0);
    expect(sets.bounding).toEqual(['CAP_CHOWN', 'CAP_SETFCAP']);
    expect(sets.inheritable).toEqual(['CAP_CHOWN']);
    expect(sets.ambient).toEqual([]);
    expect(noNewPrivileges).toBe(true);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

test('a container has a filter more than who starts it', async () => {
  await using lab = new Lab();
  const { pid } = await lab.start(['sleep', '1000']);
  // Until the exec has happened, it is still the launcher's child.
  await expect.poll(() => privileges(pid).filters).toBe((privileges('self').filters ?? 0) + 1);
  expect(privileges(pid).seccomp).toBe(2);
});

test.each([
  ['capset', 'PR_SET_KEEPCAPS comes before'],
  ['seccomp', 'no_new_privs, set before it'],
])('without what has to come before it, %s says so', async (kind, said) => {
  await using lab = new Lab();
  const missing = kind === 'capset' ? 'PR_SET_KEEPCAPS' : 'PR_SET_NO_NEW_PRIVS';
  const halves = stages.map(
    (stage): Stage => ({
      ...stage,
      plan: (...args) =>
        stage.plan(...args).filter((step) => !(step.kind === 'prctl' && step.option === missing)),
    }),
  );
  const asUser = (spec: Spec) => {
    if (spec.process) spec.process.user = { uid: 4321, gid: 4321 };
  };
  await expect(lab.start(['true'], asUser, { stages: halves })).rejects.toThrow(said);
});
