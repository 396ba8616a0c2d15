/** What is in the start-up snapshot: the commands whose start has to be quick. bin/tslab names its own, too. */

import { command as exec } from './cli/commands/exec.ts';
import { command as kill } from './cli/commands/kill.ts';
import { command as logs } from './cli/commands/logs.ts';
import { command as ps } from './cli/commands/ps.ts';
import { command as rm } from './cli/commands/rm.ts';
import { command as run } from './cli/commands/run.ts';
import { command as stop } from './cli/commands/stop.ts';
import { command as wait } from './cli/commands/wait.ts';
import { main } from './cli/main.ts';
import { specFrom } from './cli/spec-from.ts';
import { probe } from './facts/probe.ts';
import { main as ociMain } from './oci-cli/main.ts';
import { withOwnCgroup } from './runtime/own-cgroup.ts';
import { planFor } from './runtime/plan.ts';

const commands = { run, exec, ps, logs, stop, kill, wait, rm };

/** @param script which program was asked for: dist/cli/start.js or dist/oci-cli/start.js. */
export async function start(script: string): Promise<never> {
  await (script.includes('/oci-cli/') ? ociMain() : main(commands));
  await printed();
  // Taking the event loop down in good order would cost 2 ms.
  process.exit();
}

/** Commands whose answer can be longer than the 64 KiB that a pipe holds (pipe(7)). */
const longWinded = ['ps', 'logs', 'list', 'state', 'events', 'spec', 'features'];

/** What a slow reader has not taken yet waits in the stream, and would be lost; others' streams are not even opened. */
async function printed(): Promise<void> {
  if (process.argv.some((word) => longWinded.includes(word)))
    await new Promise((done) => process.stdout.write('', done));
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
