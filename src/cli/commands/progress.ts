/** tslab progress: what was done, also for programs, and from one machine to another. */
import type { Command } from 'commander';
import { type CourseOptions, courseOptions } from '../course-options.ts';

interface Options extends CourseOptions {
  json?: boolean;
}

export const command = (program: Command): void => {
  const progress = courseOptions(
    program
      .command('progress')
      .description('what you have done; export and import carry it to another machine')
      .option('--json', 'for programs'),
    'plain',
  ).action(async (options: Options) => {
    const { openSession } = await import('../../course/session.ts');
    const session = openSession(options);
    if (options.json) {
      console.log(JSON.stringify({ file: session.progress.file, ...session.progress.read() }, undefined, 2));
      return;
    }
    const { printList } = await import('../../course/list.ts');
    const { nextStep } = await import('../../course/next.ts');
    const { screen } = await import('../../course/screen.ts');
    printList(session, screen(options));
    console.log(`\n${nextStep(session)}\n${session.progress.file}`);
  });
  progress
    .command('export')
    .description('print it, for a file that another machine imports')
    .action(async () => {
      const { openSession } = await import('../../course/session.ts');
      console.log(JSON.stringify(openSession({}).progress.read(), undefined, 2));
    });
  progress
    .command('import <file>')
    .description('add what was done elsewhere; - is standard input. What is here stays')
    .action(async (file: string) => {
      const { openSession } = await import('../../course/session.ts');
      const { importProgress } = await import('../../course/import-progress.ts');
      console.log(importProgress(openSession({}), file));
    });
};
