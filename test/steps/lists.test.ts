import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listToMask } from '../../src/steps/lists.ts';

const members = (mask: string) =>
  [...Buffer.from(mask, 'base64')].flatMap((byte, i) =>
    [...Array(8).keys()].filter((bit) => byte & (1 << bit)).map((bit) => 8 * i + bit),
  );

test('a list is the set of its members', () => {
  expect(members(listToMask('0-3,7', 1, 'f'))).toEqual([0, 1, 2, 3, 7]);
  expect(members(listToMask(' 9 , 1-2', 1, 'f'))).toEqual([1, 2, 9]);
  expect(listToMask('', 8, 'f')).toBe('');
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500), { minLength: 1 }), (numbers) => {
      const mask = listToMask(numbers.join(','), 8, 'f');
      expect(members(mask)).toEqual(numbers.toSorted((a, b) => a - b));
      expect(Buffer.from(mask, 'base64').length % 8).toBe(0);
    }),
  );
});

test.each(['3-1', 'x', '1-', '-1', '1-2-3', '8192', '99999999999'])('%s is no list', (list) => {
  expect(() => listToMask(list, 1, 'process.field')).toThrow(/^process\.field: /);
});
