/** A class's report, as people and as other programs want it. */
import { table } from '../../cli/table.ts';
import type { CheckMark, ClassReport, LessonMark } from './report.ts';

export const formats: Record<string, (report: ClassReport) => string> = {
  table: asTable,
  json: (report) => JSON.stringify(report, undefined, 2),
  csv,
  junit,
  gradescope,
  github,
  tap,
};

/** A learner a line, a lesson a column; then the class. */
function asTable({ lessons, submissions, cohort }: ClassReport): string {
  const rows = submissions.map(({ name, lessons, score }) => [name, ...lessons.map(cell), score.toFixed(1)]);
  const parts = [table(['LEARNER', ...lessons.map((id) => id.toUpperCase()), 'SCORE'], rows)];
  const means = cohort.lessons.map(({ lesson, submitted, passed, score }) => [
    lesson,
    submitted,
    passed,
    score.toFixed(1),
  ]);
  parts.push(table(['LESSON', 'SUBMITTED', 'PASSED', 'MEAN'], means));
  const stuck = cohort.stuck.map(({ lesson, names }) => [lesson, names.length, names.join(', ')]);
  if (stuck.length > 0) parts.push(table(['STUCK AT', 'HOW MANY', 'WHO'], stuck));
  const checks = cohort.checks
    .slice(0, 5)
    .map(({ lesson, title, failed, of }) => [lesson, `${failed} of ${of}`, title]);
  if (checks.length > 0) parts.push(table(['MOST FAILED', '', 'CHECK'], checks));
  const errors = cohort.errors.map(({ name, lesson, reason }) => [name, lesson, reason.split('\n')[0] ?? '']);
  if (errors.length > 0) parts.push(table(['LOOK AT', 'LESSON', 'THE CHECK ITSELF BROKE'], errors));
  return parts.join('\n\n');
}

const cell = ({ problem, points, of }: LessonMark) => {
  if (problem) return problem.code === 'missing' ? '-' : problem.code;
  return of === 0 ? 'skip' : `${points}/${of}`;
};

/** RFC 4180: a line for each check, so that a spreadsheet can sum them up in any way. */
function csv({ submissions }: ClassReport): string {
  const head = ['learner', 'lesson', 'check', 'outcome', 'points', 'of', 'note'];
  const lines = submissions.flatMap(({ name, lessons }) =>
    lessons.flatMap((mark) => entries(mark).map((one) => [name, mark.lesson, ...one])),
  );
  return [head, ...lines].map((fields) => fields.map(quoted).join(',')).join('\r\n');
}

/** A spreadsheet takes a text that begins so for a formula, and learners choose names and texts. */
function quoted(field: string | number): string {
  const text = String(field).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Its checks; or, where none was run, why. */
function entries(mark: LessonMark): [string, string, number, number, string][] {
  if (mark.problem) return [['', mark.problem.code, mark.points, mark.of, mark.problem.message]];
  return mark.checks.map((check) => [
    check.id,
    check.outcome,
    check.outcome === 'pass' ? 1 : 0,
    check.outcome === 'pass' || check.outcome === 'fail' ? 1 : 0,
    note(check),
  ]);
}

const note = ({ expected, shown, reason }: CheckMark): string =>
  expected === undefined ? (reason ?? '') : `expected ${expected}; shown: ${shown}`;

function junit({ submissions }: ClassReport): string {
  const suites = submissions.map(({ name, lessons }) => {
    const cases = lessons.flatMap((mark) =>
      mark.problem
        ? [testcase(mark.lesson, 'plan', `<failure message="${xml(mark.problem.message)}"/>`)]
        : mark.checks.map((check) => testcase(mark.lesson, check.title, verdict(check))),
    );
    const count = (tag: string) => cases.filter((one) => one.includes(`<${tag}`)).length;
    const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
    return `  <testsuite name="${xml(name)}" ${counts}>\n${cases.join('\n')}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>`;
}

const testcase = (lesson: string, name: string, inner: string) =>
  `    <testcase classname="${xml(lesson)}" name="${xml(name)}">${inner}</testcase>`;

function verdict(check: CheckMark): string {
  if (check.outcome === 'pass') return '';
  const tag = { fail: 'failure', error: 'error', skip: 'skipped' }[check.outcome];
  return `<${tag} message="${xml(note(check))}"/>`;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};
const xml = (text: string) => text.replace(/[&<>"\n]/g, (one) => entities[one] ?? '');

/** results.json of its autograder, which marks one submission at a time. @throws Error for more. */
function gradescope({ submissions: [one, ...more] }: ClassReport): string {
  if (!one || more.length > 0)
    throw new Error('--format gradescope: it takes the folder of one learner; this holds several');
  const tests = one.lessons.flatMap((mark) =>
    entries(mark).map(([check, outcome, score, max_score, output], i) => ({
      name: `${mark.lesson}: ${mark.checks[i]?.title ?? check}`,
      score,
      max_score,
      status: outcome === 'pass' ? 'passed' : 'failed',
      output,
    })),
  );
  return JSON.stringify({ score: one.score, max_score: 100, tests }, undefined, 2);
}

/** Workflow commands, which become annotations of the run. */
function github({ submissions }: ClassReport): string {
  const escaped = (text: string) =>
    text.replace(/[%\r\n]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  const property = (text: string) => escaped(text).replace(/[:,]/g, (one) => (one === ':' ? '%3A' : '%2C'));
  const lines = submissions.flatMap(({ name, lessons, score }) => [
    ...lessons.flatMap((mark) =>
      entries(mark)
        .filter(([, outcome]) => outcome !== 'pass')
        .map(([check, outcome, , , text]) => {
          const level = { skip: 'notice', error: 'warning' }[outcome] ?? 'error';
          return `::${level} title=${property(`${name} ${mark.lesson} ${check}`.trim())}::${escaped(text)}`;
        }),
    ),
    `::notice title=${property(name)}::score ${score.toFixed(1)}`,
  ]);
  return lines.join('\n');
}

/** Test Anything Protocol, version 14. */
function tap({ submissions }: ClassReport): string {
  const lines = submissions.flatMap(({ name, lessons }) =>
    lessons.flatMap((mark) =>
      entries(mark).map(([check, outcome, , , text], i) => {
        const title = `${name} ${mark.lesson} ${mark.checks[i]?.title ?? check}`.replace(/[#\\]/g, '\\$&');
        const skip = outcome === 'skip' ? ` # SKIP ${text.replaceAll('\n', ' ')}` : '';
        return {
          ok: outcome === 'pass' || outcome === 'skip',
          line: `${title.replaceAll('\n', ' ')}${skip}`,
        };
      }),
    ),
  );
  const numbered = lines.map(({ ok, line }, i) => `${ok ? 'ok' : 'not ok'} ${i + 1} - ${line}`);
  return ['TAP version 14', `1..${lines.length}`, ...numbered].join('\n');
}
