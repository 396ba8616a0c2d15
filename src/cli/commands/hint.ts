/** tslab hint: the next hint, each nearer to the answer. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('hint <lesson> [level]')
    .description("the next hint for a lesson's exercise, or the one of a level")
    .option('--plain', 'no colours')
    .option('--lang <lang>', 'en or zh')
    .action(async (name: string, level: string | undefined, options: { plain?: boolean; lang?: string }) => {
      const { openSession } = await import('../../course/session.ts');
      const { screen } = await import('../../course/screen.ts');
      const { showHint } = await import('../../course/hints.ts');
      showHint(openSession(options), screen(options), name, level);
    });
};
