/** tslab check: runs the learner's stage in the real runtime and says what the kernel showed. */
import type { Command } from 'commander';

interface Options {
  workspace?: string;
  json?: boolean;
  plain?: boolean;
  lang?: string;
  watch?: boolean;
  earlier?: boolean;
}

export const command = (program: Command): void => {
  program
    .command('check <lesson>')
    .description('run your stage in the real runtime, and check what the kernel shows')
    .option('--workspace <dir>', 'your folder (~/tslab)')
    .option('-w, --watch', 'again at each save, until Ctrl-C')
    .option('--no-earlier', 'without the lessons that you had passed before')
    .option('--json', 'for programs')
    .option('--plain', 'no colours')
    .option('--lang <lang>', 'en or zh')
    .action(async (name: string, options: Options) => {
      const { checkCommand } = await import('../../course/check-command.ts');
      const { runAsOwnRoot } = await import('../../course/own-namespace.ts');
      process.exitCode = runAsOwnRoot() ?? (await checkCommand(name, options));
    });
};
