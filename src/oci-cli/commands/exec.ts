import type { Command } from 'commander';
import { writePidFile } from '../birth.ts';
import type { ProcessFlags } from '../process-flags.ts';

interface ExecFlags extends ProcessFlags {
  consoleSocket?: string;
  pidfdSocket?: string;
  cgroup?: string;
  detach?: boolean;
  pidFile?: string;
  preserveFds?: string;
  ignorePaused?: boolean;
}

const collect = (value: string, before: string[] = []) => [...before, value];

export const declare = (program: Command): void => {
  program
    .command('exec')
    .description('run a further process in a running container')
    .argument('<id>')
    .argument('[command...]')
    .passThroughOptions()
    .option('-p, --process <file>', 'a file with the process object of a config; other options change it')
    .option('--console-socket <path>', 'a unix socket that gets the terminal')
    .option('--pidfd-socket <path>', 'a unix socket that gets a descriptor of the process')
    .option('-t, --tty', 'give it a terminal')
    .option('--cwd <dir>', 'working directory inside')
    .option('-u, --user <uid[:gid]>', 'by number')
    .option('-g, --additional-gids <gid>', 'a further group', collect)
    .option('-e, --env <name=value>', 'set a variable', collect)
    .option('-c, --cap <capability>', 'give it this capability', collect)
    .option('--cgroup <path>', 'a cgroup below the container’s own; controller:path for one hierarchy of v1')
    .option('-d, --detach', 'do not wait for its end')
    .option('--pid-file <file>', 'the process id is written there')
    .option('--preserve-fds <n>', 'pass so many descriptors from 3 on')
    .option('--no-new-privs', 'it may not gain privileges')
    .option('--process-label <label>', 'its SELinux label')
    .option('--apparmor <profile>', 'its AppArmor profile')
    .option('--ignore-paused', 'also in a paused container: it goes on with that')
    .action(async (id: string, args: string[], flags: ExecFlags) => {
      const { resolve } = await import('node:path');
      const { exec } = await import('../../runtime/exec.ts');
      const { existing, statusOf } = await import('../../runtime/lifecycle.ts');
      const { LifecycleError } = await import('../../runtime/lifecycle-error.ts');
      const { withHome } = await import('../../runtime/home.ts');
      const { inherited } = await import('../inherited.ts');
      const { processFrom } = await import('../process-flags.ts');
      const state = existing(id);
      if (statusOf(state) === 'stopped')
        throw new LifecycleError(`cannot exec in a container that has stopped; container not running: ${id}`);
      const { process, pass, steps } = inherited(
        withHome(processFrom(state.spec.process, args, flags), `/proc/${state.pid}/root`),
        flags.preserveFds,
      );
      const begin = async () => {
        const container = await exec(state, process, {
          leave: flags.detach === true,
          ignorePaused: flags.ignorePaused,
          cgroup: flags.cgroup,
          pass,
          after: steps,
          ...(flags.consoleSocket === undefined ? {} : { consoleSocket: resolve(flags.consoleSocket) }),
          ...(flags.pidfdSocket === undefined ? {} : { pidfdSocket: resolve(flags.pidfdSocket) }),
        });
        writePidFile(flags.pidFile, container.pid);
        return container;
      };
      if (flags.detach) {
        await begin();
        return;
      }
      const { attend } = await import('../../cli/attend.ts');
      globalThis.process.exitCode = await attend(begin);
    });
};
