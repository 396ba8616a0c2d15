/** tslab check: runs the learner's stage in the real runtime and says what the kernel showed. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

interface Options extends CourseOptions {
  json?: boolean;
  watch?: boolean;
  earlier?: boolean;
}

export const command = (program: Command): void => {
  courseOptions(
    program
      .command('check <lesson>')
      .description('run your stage in the real runtime, and check what the kernel shows')
      .option('-w, --watch', 'again at each save, until Ctrl-C')
      .option('--no-earlier', 'without the lessons that you had passed before')
      .option('--json', 'for programs'),
    'workspace',
    'plain',
  ).action(async (name: string, options: Options) => {
    const { checkCommand } = await import('../../course/check-command.ts');
    const { runAsOwnRoot } = await import('../../course/own-namespace.ts');
    process.exitCode = runAsOwnRoot() ?? (await checkCommand(name, options));
  });
};
