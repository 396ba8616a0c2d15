/** The decoder in C against the encoder in TypeScript: the same table, every plan understood, no byte trusted. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flagSets, nameSets } from '../../src/plan/flags.ts';
import { type FieldType, type Kind, kinds, wireLetter } from '../../src/plan/kinds.ts';
import type { Step } from '../../src/plan/step.ts';
import { bytes, launcher } from '../support/launcher.ts';

const native = resolve(import.meta.dirname, '../../native');
const check = (plan: Buffer) => spawnSync(launcher, ['--check'], { input: plan, encoding: 'utf8' });

test('both tables of kinds are the same', () => {
  const letters = { host: 'h', child: 'c', both: 'b' };
  const expected = Object.entries(kinds).map(([name, { code, hands, fields }]) =>
    [code, name, letters[hands], Object.values(fields).map(wireLetter).join('')].join(' '),
  );
  const printed = spawnSync(launcher, ['--kinds'], { encoding: 'utf8' }).stdout.trimEnd().split('\n');
  expect(printed.map((line) => line.trimEnd())).toEqual(expected.map((line) => line.trimEnd()));
});

const text = fc.string({ maxLength: 20 }).filter((value) => !value.includes('\0'));
const ofType: Record<string, fc.Arbitrary<unknown>> = {
  str: text,
  strs: fc.array(text, { maxLength: 5 }),
  text: fc.string(),
  bytes: fc.uint8Array({ maxLength: 50 }).map((value) => Buffer.from(value).toString('base64')),
  u32: fc.nat(),
  i32: fc.integer(),
  u64: fc.maxSafeNat(),
  limit: fc.oneof(fc.maxSafeNat(), fc.constant('unlimited')),
  u32s: fc.array(fc.nat(), { maxLength: 5 }),
  bool: fc.boolean(),
  fd: fc.constant('some'),
  as: fc.constantFrom('some', 'other'),
  caps: fc.constant(['CAP_KILL']),
};

function field(type: FieldType): fc.Arbitrary<unknown> {
  const bare = type.replace('?', '');
  const [what, set] = bare.split(':');
  const flags = () => fc.subarray(Object.keys(flagSets[set as keyof typeof flagSets]));
  const names = () => fc.constantFrom(...Object.keys(nameSets[set as keyof typeof nameSets]));
  const value =
    what === 'flags' ? flags() : what === 'name' ? names() : (ofType[bare] as fc.Arbitrary<unknown>);
  return type.endsWith('?') ? fc.option(value, { nil: undefined }) : value;
}

function anyStep(kind: Kind, at: 'host' | 'child'): fc.Arbitrary<Step> {
  const fields = Object.entries(kinds[kind].fields).map(([name, type]) => [name, field(type)] as const);
  return fc
    .record(Object.fromEntries(fields))
    .map(
      (values) => ({ at, kind, phase: 'prepare', from: { lesson: 'test' }, ...values }) as unknown as Step,
    );
}

const opened: Step = {
  at: 'host',
  phase: 'prepare',
  from: { lesson: 'test' },
  kind: 'open',
  path: '/',
  flags: [],
  as: 'some',
};
const names = Object.keys(kinds) as Kind[];
const of = (hand: 'host' | 'child') =>
  fc.constantFrom(
    ...names.filter(
      (name) => !['clone', 'exec'].includes(name) && [hand, 'both'].includes(kinds[name].hands),
    ),
  );
const steps = (hand: 'host' | 'child') =>
  fc.array(
    of(hand).chain((kind) => anyStep(kind, hand)),
    { maxLength: 6 },
  );
const anyPlan = fc
  .tuple(steps('host'), anyStep('clone', 'host'), steps('child'), anyStep('exec', 'child'), steps('host'))
  .map(([before, clone, childs, exec, after]) =>
    bytes([opened, ...before, clone, ...childs, exec, ...after]),
  );

test('every plan that can be encoded is decoded', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      expect(check(plan)).toMatchObject({ status: 0, stderr: '' });
    }),
    { numRuns: 200 },
  );
});

test('a plan that is cut, or has one more byte, is refused', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(anyPlan, fc.nat(), (plan, at) => {
      expect(check(plan.subarray(0, at % plan.length)).status).toBe(125);
      expect(check(Buffer.concat([plan, Buffer.alloc(1)])).status).toBe(125);
    }),
    { numRuns: 100 },
  );
});

const step = (at: 'host' | 'child', call: object) => ({ ...opened, ...call, at }) as unknown as Step;
const clone = step('host', { kind: 'clone', flags: [] });
const exec = step('child', { kind: 'exec', argv: ['x'], envp: [] });
test.each<[string, Step[]]>([
  ['two births', [clone, clone]],
  ['a child step before the birth', [step('child', { kind: 'setsid' })]],
  ['a child step after the exec', [clone, exec, step('child', { kind: 'setsid' })]],
  ['a step of the wrong hand', [clone, step('host', { kind: 'setsid' })]],
  [
    'an undo of the child',
    [clone, step('child', { kind: 'mkdir', path: 'a', mode: 0, undo: { kind: 'rmdir', path: 'a' } })],
  ],
  [
    'an undo by descriptor',
    [
      opened,
      step('host', { kind: 'mkdir', path: 'a', mode: 0, undo: { kind: 'rmdir', dir: 'some', path: 'a' } }),
    ],
  ],
  [
    'an undo that only makes',
    [step('host', { kind: 'mkdir', path: 'a', mode: 0, undo: { kind: 'mkdir', path: 'a', mode: 0 } })],
  ],
])('%s is refused', (_, list) => {
  expect(check(bytes(list))).toMatchObject({
    status: 125,
    stderr: expect.stringMatching(/refused at byte \d+/),
  });
});

test('the decoder survives damaged plans under the sanitizers', { timeout: 120_000 }, () => {
  const built = spawnSync('make', ['-s', '-C', native, 'fuzz'], { encoding: 'utf8' });
  expect(built, built.stderr).toMatchObject({ status: 0 });
  const fuzz = spawnSync(`${native}/build/fuzz`, ['50000', String(Date.now() % 1_000_000)], {
    encoding: 'utf8',
  });
  expect(fuzz, fuzz.stderr).toMatchObject({ status: 0 });
});
