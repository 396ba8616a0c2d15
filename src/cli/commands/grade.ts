/** tslab grade: marks a class. */
import type { Command } from 'commander';
import type { GradeOptions } from '../../course/grading/grade-command.ts';
import { courseOptions } from '../course-options.ts';

export const command = (program: Command): void => {
  const grade = courseOptions(
    program
      .command('grade [dir]')
      .description(
        'mark a folder of submissions: a folder for each learner, a file such as pid.ts for each lesson',
      )
      .option('--lessons <list>', 'such as 0-3,pid (all)')
      .option('--format <format>', 'table, json (signed), csv, junit, gradescope, github or tap', 'table')
      .option('-o, --output <file>', 'instead of standard output')
      .option('--seed <text>', 'the same random values in the checks at each run')
      .option('--timeout <seconds>', 'for one file, on a machine of usual speed', '120')
      .option('--jobs <n>', 'how many at a time (half of the processors)')
      .option('--quiet', 'no progress'),
  ).action(async (dir: string | undefined, options: GradeOptions) => {
    if (dir === undefined) throw new Error('grade: which folder? See tslab grade --help');
    const { gradeCommand } = await import('../../course/grading/grade-command.ts');
    process.exitCode = await gradeCommand(dir, options);
  });
  grade
    .command('verify <report>')
    .description('whether a report in JSON is as it was signed')
    .action(async (file: string) => {
      const { verifyReport } = await import('../../course/grading/grade-command.ts');
      process.exitCode = verifyReport(file);
    });
};
