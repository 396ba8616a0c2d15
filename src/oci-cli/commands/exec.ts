import type { Command } from 'commander';
import type { Process } from '../../oci/spec.ts';
import { writePidFile } from '../birth.ts';

interface ExecFlags {
  process?: string;
  consoleSocket?: string;
  tty?: boolean;
  cwd?: string;
  user?: string;
  additionalGids?: string[];
  env?: string[];
  cap?: string[];
  detach?: boolean;
  pidFile?: string;
  preserveFds?: string;
  newPrivs: boolean;
}

const collect = (value: string, before: string[] = []) => [...before, value];

export const declare = (program: Command): void => {
  program
    .command('exec')
    .description('run a further process in a running container')
    .argument('<id>')
    .argument('[command...]')
    .passThroughOptions()
    .option('-p, --process <file>', 'a file with the process object of a config')
    .option('--console-socket <path>', 'a unix socket that gets the terminal')
    .option('-t, --tty', 'give it a terminal')
    .option('--cwd <dir>', 'working directory inside')
    .option('-u, --user <uid[:gid]>', 'by number')
    .option('-g, --additional-gids <gid>', 'a further group', collect)
    .option('-e, --env <name=value>', 'set a variable', collect)
    .option('-c, --cap <capability>', 'give it this capability', collect)
    .option('-d, --detach', 'do not wait for its end')
    .option('--pid-file <file>', 'the process id is written there')
    .option('--preserve-fds <n>', 'pass so many descriptors from 3 on')
    .option('--no-new-privs', 'it may not gain privileges')
    .action(async (id: string, args: string[], flags: ExecFlags) => {
      const { exec } = await import('../../runtime/exec.ts');
      const { existing } = await import('../../runtime/lifecycle.ts');
      const state = existing(id);
      const { withHome } = await import('../../runtime/home.ts');
      const asked = await processFrom(state.spec.process, args, flags);
      const process = withHome(asked, `/proc/${state.pid}/root`);
      const container = await exec(state, process, {
        // Whoever takes the terminal looks after the process as well.
        leave: flags.detach === true || flags.consoleSocket !== undefined,
        ...(flags.consoleSocket === undefined ? {} : { consoleSocket: flags.consoleSocket }),
      });
      writePidFile(flags.pidFile, container.pid);
      if (flags.detach) return;
      const { attend } = await import('../../cli/attend.ts');
      globalThis.process.exitCode = await attend(container);
    });
};

async function processFrom(base: Process | undefined, args: string[], flags: ExecFlags): Promise<Process> {
  if (flags.process !== undefined) {
    const { readFileSync } = await import('node:fs');
    return JSON.parse(readFileSync(flags.process, 'utf8'));
  }
  if (args.length === 0) throw new Error('exec: it takes a command, or --process FILE');
  const [uid = '', gid] = (flags.user ?? '').split(':');
  return {
    ...base,
    args,
    cwd: flags.cwd ?? base?.cwd ?? '/',
    env: [...(base?.env ?? []), ...(flags.env ?? [])],
    terminal: flags.tty === true,
    ...(flags.user === undefined ? {} : { user: { uid: Number(uid), gid: Number(gid ?? uid) } }),
    ...(flags.newPrivs ? {} : { noNewPrivileges: true }),
  };
}
