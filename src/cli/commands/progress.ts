/** tslab progress: what was done, also for programs. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('progress')
    .description('what you have done')
    .option('--json', 'for programs')
    .option('--plain', 'no colours')
    .option('--lang <lang>', 'en or zh')
    .action(async (options: { json?: boolean; plain?: boolean; lang?: string }) => {
      const { openSession } = await import('../../course/session.ts');
      const session = openSession(options);
      if (options.json) {
        console.log(
          JSON.stringify({ file: session.progress.file, ...session.progress.read() }, undefined, 2),
        );
        return;
      }
      const { printList } = await import('../../course/list.ts');
      const { nextStep } = await import('../../course/next.ts');
      const { screen } = await import('../../course/screen.ts');
      printList(session, screen(options));
      console.log(`\n${nextStep(session)}\n${session.progress.file}`);
    });
};
