/** tslab mark: one file, for tslab grade, which starts it once for each. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('mark <lesson> <file>', { hidden: true })
    .option('--seed <text>')
    .option('--lang <lang>')
    .action(async (name: string, file: string, options: { seed?: string; lang?: string }) => {
      const { openSession } = await import('../../course/session.ts');
      const { interruptible } = await import('../../course/interrupt.ts');
      const { markFile } = await import('../../course/grading/mark.ts');
      const session = openSession(options);
      const mark = await interruptible((signal) =>
        markFile(session.lesson(name), file, { ...options, language: session.language, signal }),
      );
      console.log(JSON.stringify(mark));
    });
};
