/** The tslab-oci command: what engines call. The dialects of runc and crun are both understood. */
import { Command } from 'commander';
import { declare as create } from './commands/create.ts';
import { declare as del } from './commands/delete.ts';
import { declare as events } from './commands/events.ts';
import { declare as exec } from './commands/exec.ts';
import { declare as features } from './commands/features.ts';
import { declare as kill } from './commands/kill.ts';
import { declare as list } from './commands/list.ts';
import { declare as pause } from './commands/pause.ts';
import { declare as ps } from './commands/ps.ts';
import { declare as resume } from './commands/resume.ts';
import { declare as run } from './commands/run.ts';
import { declare as spec } from './commands/spec.ts';
import { declare as start } from './commands/start.ts';
import { declare as state } from './commands/state.ts';
import { declare as update } from './commands/update.ts';
import { type GlobalFlags, prepare } from './global.ts';
import { logError, useLog } from './log.ts';

const commands = {
  create,
  start,
  state,
  kill,
  delete: del,
  run,
  exec,
  pause,
  resume,
  update,
  events,
  list,
  ps,
  spec,
  features,
};

export async function main(): Promise<void> {
  const program = globalOptions(new Command('tslab-oci'));
  const asked = process.argv.slice(2).find((word) => Object.hasOwn(commands, word)) as keyof typeof commands;
  for (const declare of asked ? [commands[asked]] : Object.values(commands)) declare(program);
  try {
    await program.parseAsync();
  } catch (error) {
    // A command line that was not understood can't have said where the log is; what of it was understood, has.
    useLog(program.opts<GlobalFlags>());
    const { code = '', exitCode = 1 } = error as { code?: string; exitCode?: number };
    if (!code.startsWith('commander.') || exitCode !== 0) logError(error);
    process.exitCode = exitCode;
  }
}

/** The options in front of the command, of every command. */
export function globalOptions(program: Command): Command {
  return (
    program
      .description('an OCI runtime whose every step can be read')
      .option('--root <dir>', 'where the states of containers are')
      .option('--log <file>', 'errors go there as well')
      .option('--log-format <format>', 'text or json', 'text')
      .option('--log-level <level>', 'accepted: only errors are logged')
      .option('--debug', 'accepted: only errors are logged')
      .option('--systemd-cgroup', 'cgroups are made by systemd')
      .option('--cgroup-manager <manager>', 'cgroupfs, systemd or disabled')
      .option('--rootless <when>', 'accepted: it is found out')
      .option(
        '--stages <dir>',
        'your own stages, such as ~/tslab, in place of the lessons’ (or $TSLAB_STAGES)',
      )
      .version('tslab-oci version 0.1.0\nspec: 1.3.0', '-v, --version')
      .enablePositionalOptions()
      // Its mistakes are told as all others are, so that engines find them in the log.
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .hook('preAction', () => {
        useLog(program.opts<GlobalFlags>());
        prepare(program.opts<GlobalFlags>());
      })
  );
}
