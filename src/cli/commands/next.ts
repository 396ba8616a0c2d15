/** tslab next: what to do now. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('next')
    .description('say what to do next')
    .option('--lang <lang>', 'en or zh')
    .action(async (options: { lang?: string }) => {
      const { openSession } = await import('../../course/session.ts');
      const { nextStep } = await import('../../course/next.ts');
      console.log(nextStep(openSession(options)));
    });
};
