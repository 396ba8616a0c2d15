/** What a caller hands over by its descriptors and variables: --preserve-fds, sd_listen_fds(3), sd_notify(3). */
import { readlinkSync } from 'node:fs';
import type { Process } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { withVariables } from '../runtime/notify.ts';

export interface Inherited {
  /** Descriptors that the program gets under the same numbers. */
  pass: number[];
  steps: Step[];
  process: Process;
}

/**
 * Sockets of a service manager first, then those that --preserve-fds counts: the order in which callers lay them out.
 *
 * @throws Error for one that is not open.
 */
export function inherited<P extends Process | undefined>(
  program: P,
  preserve: string | undefined,
): Omit<Inherited, 'process'> & { process: P } {
  if (preserve !== undefined && !/^\d{1,4}$/.test(preserve))
    throw new Error(`--preserve-fds ${preserve}: it takes how many descriptors are passed, from 3 on`);
  const sockets = listenSockets();
  const count = sockets + Number(preserve ?? 0);
  const pass = Array.from({ length: count }, (_, i) => 3 + i);
  for (const fd of pass) demandOpen(fd, fd < 3 + sockets ? 'LISTEN_FDS' : '--preserve-fds');
  if (sockets === 0 || !program) return { pass, steps: [], process: program };
  const names = process.env.LISTEN_FDNAMES;
  const env = withVariables(program, {
    LISTEN_FDS: String(sockets),
    LISTEN_PID: '1', // until the launcher knows better
    ...(names === undefined ? {} : { LISTEN_FDNAMES: names }),
  });
  const from = { lesson: 'runtime', field: 'LISTEN_PID' };
  const steps: Step[] = [{ at: 'child', phase: 'exec', kind: 'pidenv', name: 'LISTEN_PID', from }];
  return { pass, steps, process: { ...program, env } };
}

/** Those that were meant for this very process: a variable may have come down from far above. */
function listenSockets(): number {
  const { LISTEN_PID, LISTEN_FDS = '0' } = process.env;
  if (LISTEN_PID !== String(process.pid) || !/^\d{1,4}$/.test(LISTEN_FDS)) return 0;
  return Number(LISTEN_FDS);
}

/** Node takes the lowest free number for its own first descriptor, an epoll instance: where that is, nothing was handed over. */
function demandOpen(fd: number, by: string): void {
  let what: string | undefined;
  try {
    what = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {}
  if (what === undefined || what === 'anon_inode:[eventpoll]')
    throw new Error(`${by}: descriptor ${fd} is not open`);
}
