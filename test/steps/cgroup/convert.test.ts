import { expect, test } from 'vitest';
import { cpuWeight, ioWeight, swapAlone } from '../../../src/steps/cgroup/convert.ts';

test.each([
  [2, 1],
  [1024, 100],
  [262_144, 10_000],
  [0, 1],
  [1_000_000, 10_000],
  [512, 59],
  [2048, 174],
])('cpu.shares %i is cpu.weight %i', (shares, weight) => expect(cpuWeight(shares)).toBe(weight));

test('more shares are never less weight', () => {
  let last = 0;
  for (let shares = 2; shares <= 262_144; shares += 97) {
    expect(cpuWeight(shares)).toBeGreaterThanOrEqual(last);
    last = cpuWeight(shares);
  }
});

// The table of crun(1): 1 + (x - 10) * 9999 / 990.
test.each([
  [10, 1],
  [500, 4950],
  [1000, 10_000],
])('blkio.weight %i is io.weight %i', (weight, io) => expect(ioWeight(weight)).toBe(io));

test('v2 limits swap alone', () => {
  expect(swapAlone(300, 100)).toBe(200);
  expect(swapAlone(100, 100)).toBe(0);
  expect(swapAlone(-1, 100)).toBe(-1);
  expect(swapAlone(0, 100)).toBeUndefined();
  expect(() => swapAlone(99, 100)).toThrow(/memory\.swap is 99.*memory\.limit, 100/);
  expect(() => swapAlone(100, undefined)).toThrow(/memory\.swap: .*memory\.limit/);
});
