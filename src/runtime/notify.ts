/**
 * sd_notify(3) for a container: its program speaks to a socket of ours, and what it says of being ready is passed on in our
 * name, since a service manager believes its own cgroup's processes only. Nothing else is: the rest of that protocol
 * (descriptors to keep, another main process) is no container's to say.
 */
import { join } from 'node:path';
import { launch } from '../launch/launcher.ts';
import { StartError } from '../launch/start-error.ts';
import { namespace, type Process, type Spec } from '../oci/spec.ts';
import type { Plan, Step } from '../plan/step.ts';
import { stateFolder } from './folders.ts';
import { ledgerFor } from './ledgers.ts';
import { carryOut } from './run.ts';

/** Where the program finds the socket. */
const INSIDE = '/run/notify';
const NAME = 'notify.sock';

export const notifyFolder = (id: string): string => join(stateFolder, `${id}.notify`);

/** The config with the folder of the socket in it; read-only, so that nothing else can come into its place. */
export function withNotify(id: string, spec: Spec): Spec {
  if (!spec.process || !namespace(spec, 'mount')) return spec;
  const options = ['bind', 'ro', 'nosuid', 'nodev', 'noexec'];
  const mount = { destination: INSIDE, type: 'bind', source: notifyFolder(id), options };
  const env = withVariables(spec.process, { NOTIFY_SOCKET: `${INSIDE}/${NAME}` });
  return { ...spec, mounts: [...(spec.mounts ?? []), mount], process: { ...spec.process, env } };
}

/** What it was set to before is gone: of two, programs take the first. */
export function withVariables({ env = [] }: Process, variables: Readonly<Record<string, string>>): string[] {
  const others = env.filter((entry) => !Object.hasOwn(variables, entry.slice(0, entry.indexOf('='))));
  return [...others, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
}

/** The step that makes the folder; it goes with the container. */
export function folderStep(id: string): Step {
  const path = notifyFolder(id);
  return { ...common, kind: 'mkdir', path, mode: 0o755, undo: { kind: 'rmtree', path } };
}

const common = { at: 'host', phase: 'prepare', from: { lesson: 'runtime', field: 'NOTIFY_SOCKET' } } as const;

export interface News {
  /** True once the program has said that it is ready; false if nobody waits for it any more. */
  ready: Promise<boolean>;
  cancel(): void;
}

/**
 * Listens for a container's word; resolves when the socket is there.
 *
 * @param own the folder is made here, and goes when the waiting ends; else it is there already.
 */
export function listen(id: string, own: boolean): Promise<News> {
  const path = join(notifyFolder(id), NAME);
  if (own) ledgerFor(id); // makes the folder around it
  const steps: Step[] = [
    ...(own ? [folderStep(id)] : []),
    { ...common, kind: 'listen', path, as: 'news', undo: { kind: 'unlink', path } },
    { ...common, kind: 'ready', fd: 'news' },
  ];
  const plan: Plan = { version: 1, id, steps };
  return new Promise((resolve, reject) => {
    const ready = Promise.withResolvers<boolean>();
    const hand = launch(plan, { stdio: ['ignore', 'ignore', 'inherit'] }, ({ type, step, errno }) => {
      const listens = step === steps.length - 2;
      if (type === 'done' && listens) resolve({ ready: ready.promise, cancel: () => hand.send('abort') });
      if (type === 'failed' && step < steps.length - 1) reject(new StartError(plan, step, errno));
    });
    hand.process.once('error', reject);
    hand.process.once('close', (code) => ready.resolve(code === 0));
  });
}

/** @param socket the service manager's: sd_notify(3), $NOTIFY_SOCKET. */
export async function passOn(id: string, socket: string, pid: number): Promise<void> {
  const data = `MAINPID=${pid}\nREADY=1`;
  await carryOut({ version: 1, id, steps: [{ ...common, kind: 'tell', path: socket, data }] });
}
