/** `tslab grade`: a folder of submissions, marked. `tslab grade verify`: whether a report is as it was signed. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { interruptible } from '../interrupt.ts';
import { asLearner } from '../learner.ts';
import { write } from '../progress.ts';
import { openSession } from '../session.ts';
import { formats } from './formats.ts';
import { gradeClass } from './grade-class.ts';
import type { ClassReport } from './report.ts';
import { keyFile, signed, verified } from './signature.ts';
import { chosenLessons, submissionsIn } from './submissions.ts';

export interface GradeOptions {
  lessons?: string;
  format: string;
  output?: string;
  seed?: string;
  timeout: string;
  jobs?: string;
  quiet?: boolean;
  lang?: string;
}

/** Returns the exit status: 0 when all was marked, whatever the marks are; 3 when some mark needs a look. */
export async function gradeCommand(dir: string, options: GradeOptions): Promise<number> {
  const session = openSession(options);
  const form = Object.hasOwn(formats, options.format) ? formats[options.format] : undefined;
  if (!form) throw new Error(`--format ${options.format}: it takes ${Object.keys(formats).join(', ')}`);
  if (process.getuid?.() !== 0)
    throw new Error('marking starts containers of other people’s: it takes root. Type: sudo tslab grade');
  const submissions = submissionsIn(dir);
  const lessons = chosenLessons(options.lessons);
  const report = await interruptible((signal) =>
    gradeClass(submissions, {
      lessons,
      language: session.language,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      timeout: number('--timeout', options.timeout),
      jobs: options.jobs === undefined ? Math.max(1, cpus().length >> 1) : number('--jobs', options.jobs),
      signal,
      done: progressLine(submissions.length * lessons.length, options),
    }),
  );
  const text = `${form(options.format === 'json' ? (signed(report, session.who) as ClassReport) : report)}\n`;
  const { output } = options;
  if (output === undefined) process.stdout.write(text);
  else asLearner(session.who, () => write(output, text));
  return report.cohort.errors.length > 0 ? 3 : 0;
}

/** Where somebody looks, how far it is. */
function progressLine(total: number, { quiet }: GradeOptions) {
  let count = 0;
  const shown = process.stderr.isTTY && !quiet;
  return (name: string, { lesson }: { lesson: string }): void => {
    count++;
    if (shown)
      process.stderr.write(`\r\x1b[K${count === total ? '' : `${count}/${total} ${name} ${lesson}`}`);
  };
}

function number(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${option} ${text}: it takes a whole number above 0`);
}

/** Returns the exit status. */
export function verifyReport(file: string): number {
  const { who } = openSession({});
  const report = JSON.parse(asLearner(who, () => readFileSync(file, 'utf8'))) as object;
  const { genuine, fingerprint } = verified(report);
  if (!genuine) {
    console.error(`tslab: ${file}: it was changed after it was signed`);
    return 1;
  }
  const own = verified(signed({}, who)).fingerprint === fingerprint;
  console.log(
    `${file}: unchanged since key ${fingerprint} signed it${own ? `, which is yours (${keyFile(who)})` : ''}`,
  );
  return 0;
}
