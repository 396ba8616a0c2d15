/** Device rules: v1's lines, and v2's program, run here by a small BPF machine against the rules' own words. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DeviceRule } from '../../../src/oci/spec.ts';
import { deviceFilter } from '../../../src/steps/cgroup/device-filter.ts';
import { deviceRules, v1DeviceLines } from '../../../src/steps/cgroup/devices.ts';

const closed: DeviceRule = { allow: false, access: 'rwm' };
const lines = (rules: DeviceRule[]) => v1DeviceLines(rules).map(({ file, data }) => `${file} ${data}`);

test('the list of the specification, and what every container has', () => {
  const found = lines([
    closed,
    { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
    { allow: true, type: 'b', major: 8, minor: 0, access: 'r' },
  ]);
  expect(found.slice(0, 3)).toEqual([
    'devices.deny a *:* rwm',
    'devices.allow c 10:229 rw',
    'devices.allow b 8:0 r',
  ]);
  expect(found).toContain('devices.allow c 1:3 rwm');
});

test('what is open stays as it was asked for', () => {
  expect(lines([{ allow: false, type: 'c', major: 1, minor: 3, access: 'w' }])).toEqual([
    'devices.deny c 1:3 w',
  ]);
  expect(lines([])).toEqual([]);
});

test('all devices, but not all access: characters and blocks', () => {
  expect(lines([{ allow: false, access: 'm' }])).toEqual(['devices.deny c *:* m', 'devices.deny b *:* m']);
});

test.each<[string, DeviceRule[], RegExp]>([
  [
    'a part of what is allowed',
    [closed, { allow: true, type: 'c', major: 10 }, { allow: false, type: 'c', major: 10, minor: 1 }],
    /devices\[2\]: cgroup v1 can't cut/,
  ],
  ['a type', [{ allow: true, type: 'x' as 'c' }], /devices\[0\]: type/],
  ['an access', [{ allow: true, type: 'c', access: 'rx' }], /devices\[0\]: access/],
  ['a number', [{ allow: true, type: 'c', major: 4096 }], /devices\[0\]\.major: is 4096/],
])('%s is refused by name', (_, rules, message) => expect(() => lines(rules)).toThrow(message));

interface Request {
  type: 'c' | 'b';
  major: number;
  minor: number;
  access: string;
}

/** The rules' own words: the last one that speaks of a device and an access decides about it. */
function allowed(rules: readonly DeviceRule[], { type, major, minor, access }: Request): boolean {
  const all = deviceRules(rules);
  return [...access].every(
    (letter) =>
      all.findLast(
        (rule) =>
          (rule.type === undefined || rule.type === type) &&
          [-1, major].includes(rule.major) &&
          [-1, minor].includes(rule.minor) &&
          rule.access.some((one) => one === letter),
      )?.allow ?? true,
  );
}

/** The few instructions that a filter is made of. */
function run(program: Buffer, { type, major, minor, access }: Request): boolean {
  const bits = [...access].reduce((or, letter) => or | { m: 1, r: 2, w: 4 }[letter as 'r'], 0);
  const context = [(bits << 16) | { b: 1, c: 2 }[type], major, minor];
  const r = [0, 0, 0, 0, 0, 0];
  for (let pc = 0; pc < program.length / 8; pc++) {
    const at = 8 * pc;
    const code = program.readUInt8(at);
    const to = program.readUInt8(at + 1) & 15;
    const from = program.readUInt8(at + 1) >> 4;
    const offset = program.readInt16LE(at + 2);
    const value = program.readInt32LE(at + 4);
    const left = r[to] ?? 0;
    if (code === 0x61) r[to] = context[offset / 4] ?? 0;
    else if (code === 0xb7) r[to] = value;
    else if (code === 0xbf) r[to] = r[from] ?? 0;
    else if (code === 0x57) r[to] = left & value;
    else if (code === 0x77) r[to] = left >>> value;
    else if (code === 0x55) pc += left !== value ? offset : 0;
    else if (code === 0x45) pc += left & value ? offset : 0;
    else if (code === 0x05) pc += offset;
    else if (code === 0x95) return r[0] === 1;
    else throw new Error(`no such instruction: ${code.toString(16)}`);
  }
  throw new Error('the program runs off its end');
}

const number = fc.constantFrom(-1, 0, 1, 3, 8, 10, 136);
const letters = fc.subarray(['r', 'w', 'm'], { minLength: 1 }).map((some) => some.join(''));
const rule = fc.record({
  allow: fc.boolean(),
  type: fc.constantFrom('a', 'b', 'c') as fc.Arbitrary<'a' | 'b' | 'c'>,
  major: number,
  minor: number,
  access: letters,
});
const request = fc.record({
  type: fc.constantFrom('b', 'c') as fc.Arbitrary<'b' | 'c'>,
  major: fc.constantFrom(0, 1, 3, 8, 10, 136),
  minor: fc.constantFrom(0, 1, 3, 8),
  access: letters,
});

test('the program answers as the rules say', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), request, (rules, asked) => {
      expect(run(deviceFilter(deviceRules(rules)), asked)).toBe(allowed(rules, asked));
    }),
    { numRuns: 2000 },
  );
});

test('writing to what may be read only is refused, reading it is not', () => {
  const program = deviceFilter(
    deviceRules([closed, { allow: true, type: 'b', major: 8, minor: 0, access: 'r' }]),
  );
  const disk = { type: 'b', major: 8, minor: 0 } as const;
  expect(run(program, { ...disk, access: 'r' })).toBe(true);
  expect(run(program, { ...disk, access: 'rw' })).toBe(false);
  expect(run(program, { type: 'c', major: 1, minor: 3, access: 'rw' })).toBe(true);
});
