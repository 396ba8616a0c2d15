import { expect, test } from 'vitest';
import { compose } from '../../src/plan/compose.ts';
import { encode } from '../../src/plan/encode.ts';
import { phases } from '../../src/plan/phases.ts';
import type { Step } from '../../src/plan/step.ts';

const from = (lesson: string) => ({ from: { lesson } });
const clone = (lesson: string, ...flags: ('CLONE_NEWPID' | 'CLONE_NEWNS')[]): Step => ({
  at: 'host',
  phase: 'clone',
  kind: 'clone',
  flags,
  ...from(lesson),
});
const exec: Step = {
  at: 'child',
  phase: 'exec',
  kind: 'exec',
  argv: ['/bin/true'],
  envp: [],
  ...from('process'),
};
const chdir: Step = { at: 'child', phase: 'root', kind: 'chdir', path: '/', ...from('chroot') };

test('the namespaces of all stages become one clone', () => {
  const { steps } = compose('x', [
    exec,
    clone('process'),
    clone('mount', 'CLONE_NEWNS'),
    clone('pid', 'CLONE_NEWPID'),
  ]);
  const clones = steps.filter((step) => step.kind === 'clone');
  expect(clones).toHaveLength(1);
  expect(clones[0]).toMatchObject({
    flags: ['CLONE_NEWNS', 'CLONE_NEWPID'],
    from: { lesson: 'process+mount+pid' },
  });
});

test('steps go by phase, whatever order the stages came in', () => {
  const { steps } = compose('x', [exec, chdir, clone('process')]);
  const order = steps.map((step) => phases.indexOf(step.phase));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(steps.at(-1)?.kind).toBe('exec');
});

test('mounts go by their place in the config, and after what makes the tree', () => {
  const mount = (target: string, field?: string): Step => ({
    at: 'child',
    phase: 'mounts',
    kind: 'mount',
    target,
    from: { lesson: 'mount', ...(field ? { field } : {}) },
  });
  const given = [
    mount('c', 'mounts[10]'),
    mount('b', 'mounts[9]'),
    mount('/', 'root.path'),
    mount('b2', 'mounts[9]'),
  ];
  const { steps } = compose('x', [exec, clone('process'), ...given]);
  expect(steps.flatMap((step) => (step.kind === 'mount' ? step.target : []))).toEqual(['/', 'b', 'b2', 'c']);
});

test('exec is last, also when another step is of its phase', () => {
  const init: Step = { at: 'child', phase: 'exec', kind: 'init', ...from('pid') };
  const { steps } = compose('x', [clone('process'), exec, init]);
  expect(steps.map((step) => step.kind)).toEqual(['clone', 'init', 'exec']);
});

test('a plan is frozen, also inside', () => {
  const plan = compose('x', [exec, clone('process')]);
  expect(() => (plan.steps as Step[]).push(exec)).toThrow(TypeError);
  expect(Object.isFrozen(plan.steps[0]?.from)).toBe(true);
});

test.each([
  ['nobody is cloned', [exec], /no stage clones/],
  ['nothing is executed', [clone('process')], /exec step is missing/],
])('refused: %s', (_, steps, message) => {
  expect(() => compose('x', steps)).toThrow(message);
});

test('a descriptor that nobody opened has no encoding', () => {
  const lost: Step = { ...chdir, dir: 'nowhere' } as Step;
  expect(() => encode(compose('x', [clone('process'), lost, exec]))).toThrow(/"nowhere" is used before/);
});
