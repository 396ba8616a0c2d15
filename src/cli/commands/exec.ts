/** tslab exec: a further process in a running container. */
import type { Command } from 'commander';

interface ExecFlags {
  interactive?: boolean;
  tty?: boolean;
  env?: string[];
  workdir?: string;
}

export const command = (program: Command): void => {
  program
    .command('exec')
    .description('run a further command in a running container')
    .argument('<container>', 'its name, or the beginning of its id')
    .argument('<command...>', 'the program and its arguments')
    .passThroughOptions()
    .option('-i, --interactive', 'keep standard input open')
    .option('-t, --tty', 'give it a terminal')
    .option('-e, --env <name=value>', 'set a variable', (value: string, before: string[] = []) => [
      ...before,
      value,
    ])
    .option('-w, --workdir <dir>', 'working directory inside')
    .action(async (name: string, args: string[], flags: ExecFlags) => {
      const { exec } = await import('../../runtime/exec.ts');
      const { findRunning } = await import('../../runtime/containers.ts');
      const { attend } = await import('../attend.ts');
      if (flags.tty && !process.stdin.isTTY) throw new Error('--tty: standard input is no terminal');
      const state = findRunning(name);
      const begin = () =>
        exec(
          state,
          {
            ...state.spec.process,
            args,
            cwd: flags.workdir ?? state.spec.process?.cwd ?? '/',
            env: [...(state.spec.process?.env ?? []), ...(flags.env ?? [])],
            terminal: flags.tty === true,
          },
          { stdio: [flags.interactive || flags.tty ? 'inherit' : 'ignore', 'inherit', 'inherit'] },
        );
      process.exitCode = await attend(begin);
    });
};
