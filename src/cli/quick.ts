/** What is in the start-up snapshot: the commands whose start has to be quick. bin/tslab names them, too. */
import { probe } from '../facts/probe.ts';
import { withOwnCgroup } from '../runtime/own-cgroup.ts';
import { planFor } from '../runtime/plan.ts';
import { command as exec } from './commands/exec.ts';
import { command as kill } from './commands/kill.ts';
import { command as logs } from './commands/logs.ts';
import { command as ps } from './commands/ps.ts';
import { command as rm } from './commands/rm.ts';
import { command as run } from './commands/run.ts';
import { command as stop } from './commands/stop.ts';
import { command as wait } from './commands/wait.ts';
import { main } from './main.ts';
import { specFrom } from './spec-from.ts';

const commands = { run, exec, ps, logs, stop, kill, wait, rm };

export async function start(): Promise<never> {
  await main(commands);
  // Writes to files, terminals and pipes are done when they return (Node's manual, process, "A note on process I/O"), so
  // nothing is lost, and taking the event loop down in good order would cost 2 ms.
  process.exit();
}

/**
 * Performed once, while the snapshot is made: what has run is in it compiled. A container of lesson 0 is a process without
 * any namespace, so that whoever may set up tslab may also do this.
 */
export async function rehearse(): Promise<void> {
  // Other capabilities than usual: then the seccomp filter is compiled, as it is for every engine's profile.
  for (const flags of [{ network: 'none' }, { network: 'none', capAdd: ['SYS_TIME'] }]) {
    const { spec } = specFrom(['/bin/true'], flags, '/');
    const facts = probe(spec);
    planFor('rehearsal', withOwnCgroup('rehearsal', spec, facts), facts);
  }
  for (const line of ['ps', 'run --lesson process --rootfs / -- /bin/true']) {
    process.argv.splice(2, Infinity, ...line.split(' '));
    await main(commands);
  }
}
