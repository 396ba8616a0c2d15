import { expect, test } from 'vitest';
import { formats } from '../../../src/course/grading/formats.ts';
import {
  type CheckMark,
  type ClassReport,
  cohortOf,
  type LessonMark,
  score,
  submissionMark,
} from '../../../src/course/grading/report.ts';

const check = (id: string, outcome: CheckMark['outcome'], more: Partial<CheckMark> = {}): CheckMark => ({
  id,
  title: `The ${id}`,
  outcome,
  ...more,
});
const mark = (lesson: string, checks: CheckMark[], code?: string): LessonMark => ({
  lesson,
  number: 3,
  checks,
  ...(code ? { problem: { code, message: '<b> & "c"' } } : {}),
  ...score(checks, code !== undefined),
});

const wrong = { expected: 'one', shown: 'two, "three"\n<four>' };
const reportOf = (...learners: [string, LessonMark[]][]): ClassReport => {
  const submissions = learners.map(([name, lessons]) => submissionMark(name, lessons));
  const lessons = ['pid', 'uts'];
  const machine = { kernel: '6.1', cpus: 2 };
  const date = '2026-01-01T00:00:00Z';
  return {
    version: 1,
    tslab: '0',
    date,
    machine,
    lessons,
    submissions,
    cohort: cohortOf(lessons, submissions),
  };
};
const ada: [string, LessonMark[]] = [
  'ada',
  [
    mark('pid', [check('a', 'pass'), check('b', 'skip', { reason: 'no' })]),
    mark('uts', [check('c', 'pass')]),
  ],
];
const bob: [string, LessonMark[]] = [
  '=bob, "b"',
  [
    mark('pid', [check('a', 'pass'), check('b', 'fail', wrong)]),
    mark('uts', [check('c', 'error', { reason: 'broke' }), check('d', 'fail', wrong)]),
  ],
];
const eve: [string, LessonMark[]] = ['eve', [mark('pid', [], 'missing'), mark('uts', [], 'syntax')]];
const everybody = reportOf(ada, bob, eve);

test('a lesson’s points are of what this machine could show; each lesson weighs the same', () => {
  expect(everybody.submissions.map(({ score }) => score)).toEqual([100, 25, 0]);
  expect(submissionMark('x', [mark('pid', [check('a', 'skip')])]).score).toBe(0);
});

test('the class: who is stuck where, what fails most, what the instructor has to look at', () => {
  const { lessons, stuck, checks, errors } = everybody.cohort;
  expect(lessons).toEqual([
    { lesson: 'pid', submitted: 2, passed: 1, score: 50 },
    { lesson: 'uts', submitted: 3, passed: 1, score: 33.3 },
  ]);
  expect(stuck).toEqual([{ lesson: 'pid', names: ['=bob, "b"', 'eve'] }]);
  expect(checks).toEqual([
    { lesson: 'pid', check: 'b', title: 'The b', failed: 1, of: 1 },
    { lesson: 'uts', check: 'd', title: 'The d', failed: 1, of: 1 },
  ]);
  expect(errors).toEqual([{ name: '=bob, "b"', lesson: 'uts', reason: 'broke' }]);
});

test('table: every learner, a problem by its name', () => {
  const lines = formats.table?.(everybody).split('\n') ?? [];
  expect(lines[1]).toMatch(/^ada +1\/1 +1\/1 +100\.0$/);
  expect(lines[3]).toMatch(/^eve +- +syntax +0\.0$/);
});

test('csv: quoted, and nothing that a spreadsheet takes for a formula', () => {
  const lines = formats.csv?.(everybody).split('\r\n') ?? [];
  expect(lines[0]).toBe('learner,lesson,check,outcome,points,of,note');
  expect(lines).toContain('ada,pid,b,skip,0,0,no');
  expect(formats.csv?.(everybody)).toContain(
    '"\'=bob, ""b""",pid,b,fail,0,1,"expected one; shown: two, ""three""\n<four>"',
  );
});

test('junit: counts that agree with the cases, text that is escaped', () => {
  const text = formats.junit?.(everybody) ?? '';
  expect(text).toContain(
    '<testsuite name="=bob, &quot;b&quot;" tests="4" failures="2" errors="1" skipped="0">',
  );
  expect(text).toContain('message="&lt;b&gt; &amp; &quot;c&quot;"');
  expect(text).not.toMatch(/[^>]\n<four>/);
});

test('gradescope: one learner at a time', () => {
  expect(() => formats.gradescope?.(everybody)).toThrow(/one learner/);
  const { score, tests } = JSON.parse(formats.gradescope?.(reportOf(bob)) ?? '');
  expect(score).toBe(25);
  expect(tests[1]).toEqual({
    name: 'pid: The b',
    score: 0,
    max_score: 1,
    status: 'failed',
    output: 'expected one; shown: two, "three"\n<four>',
  });
});

test('github: an annotation a line, whatever a learner’s text holds', () => {
  const lines = formats.github?.(everybody).split('\n') ?? [];
  expect(lines.every((line) => /^::(notice|warning|error) title=[^:,\n]+::/.test(line))).toBe(true);
  expect(lines).toContain('::error title==bob%2C "b" pid b::expected one; shown: two, "three"%0A<four>');
});

test('tap: a plan that counts its lines, skips marked', () => {
  const lines = formats.tap?.(everybody).split('\n') ?? [];
  expect(lines.slice(0, 4)).toEqual([
    'TAP version 14',
    '1..9',
    'ok 1 - ada pid The a',
    'ok 2 - ada pid The b # SKIP no',
  ]);
  expect(lines).toHaveLength(11);
});
