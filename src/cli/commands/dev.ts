/** tslab dev: for authors of lessons, and for CI. */
import type { Command } from 'commander';
import { courseOptions } from '../course-options.ts';

export const command = (program: Command): void => {
  const dev = program.command('dev').description('for authors of lessons');
  courseOptions(
    dev
      .command('check [lessons...]')
      .description('prove that lessons are whole: texts, scenes, starters, solutions, nothing left behind'),
  ).action(async (names: string[]) => {
    const { devCheck } = await import('../../course/dev-check.ts');
    const { runAsOwnRoot } = await import('../../course/own-namespace.ts');
    process.exitCode = runAsOwnRoot() ?? (await devCheck(names));
  });
  dev
    .command('new <folder>')
    .description('begin a lesson of your own, such as mycourse/16-swap; mycourse is then what --course takes')
    .action(async (folder: string) => {
      const { newLesson } = await import('../../course/new-lesson.ts');
      console.log(newLesson(folder));
    });
};
