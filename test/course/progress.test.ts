import { expect, test } from 'vitest';
import { merge, type Progress, parseProgress } from '../../src/course/progress.ts';

test('what was done on either machine is done: the earlier date, the greater number', () => {
  const here: Progress = {
    version: 1,
    lessons: { pid: { passed: '2026-03-02', attempts: 1, position: 4 }, uts: { hints: 2 } },
  };
  merge(here, {
    version: 1,
    language: 'zh',
    lessons: {
      pid: { passed: '2026-03-01', attempts: 5, position: 9 },
      uts: { passed: '2026-02-01' },
      net: { played: '2026-01-01' },
    },
  });
  expect(here).toEqual({
    version: 1,
    language: 'zh',
    lessons: {
      pid: { passed: '2026-03-01', attempts: 5, position: 4 },
      uts: { hints: 2, passed: '2026-02-01' },
      net: { played: '2026-01-01' },
    },
  });
});

test.each(['', '[]', '{"version":2,"lessons":{}}', '{"version":1,"lessons":{"pid":3}}', '{"version":1}'])(
  'no progress: %s',
  (text) => {
    expect(() => parseProgress(text)).toThrow();
  },
);
