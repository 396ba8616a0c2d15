/** The programs that a config wants run at points of the container's life (config.md, "POSIX-platform Hooks"). */
import { writeSync } from 'node:fs';
import { StartError } from '../launch/start-error.ts';
import type { Hook, HookPoint, Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { type Container, carryOut } from './run.ts';

/** What stands for the container's pid in the state that hooks read: it is not known yet when the plan is made. */
const PID_WORD = '@PID-OF-THE-CONTAINER@';

/** Who is told about: the state on a hook's standard input (runtime.md, "State"). */
export interface Subject {
  id: string;
  bundle?: string;
  spec: Spec;
}

/** Where each of the points of a birth is, and whose namespaces the hook runs in. */
const births = {
  prestart: { at: 'host', phase: 'hooks', status: 'creating' },
  createRuntime: { at: 'host', phase: 'hooks', status: 'creating' },
  createContainer: { at: 'child', phase: 'hooks', status: 'creating' },
  startContainer: { at: 'child', phase: 'start', status: 'created' },
} as const;

/** Steps for the hooks up to the program's start, in the order of the lifecycle. */
export function birthHooks(subject: Subject): Step[] {
  return Object.entries(births).flatMap(([point, { status, ...place }]) =>
    hookSteps(subject, point as HookPoint, status, PID_WORD).map((step): Step => ({ ...step, ...place })),
  );
}

/**
 * The hooks around a container that is started now: those after its start, and after its end.
 *
 * @param later it is only created, so whoever starts and deletes it runs them.
 * @throws StartError when one of those fails whose failure stops the container.
 */
export async function withHooks(
  subject: Subject,
  later: boolean,
  start: () => Promise<Container>,
): Promise<Container> {
  if (!subject.spec.hooks) return await start();
  let container: Container | undefined;
  try {
    container = await start();
    if (later) return container;
    await poststart(subject, container.pid);
  } catch (error) {
    await container?.stop();
    if (error instanceof StartError && error.step.from.field?.startsWith('hooks.')) await poststop(subject);
    throw error;
  }
  const exit = container.exit.finally(() => poststop(subject));
  exit.catch(() => {}); // whoever waits will see it
  return { ...container, exit };
}

/** @throws StartError at the first that fails: then the container is to be stopped. */
export async function poststart(subject: Subject, pid: number): Promise<void> {
  const steps = hookSteps(subject, 'poststart', 'running', pid);
  if (steps.length > 0) await carryOut({ version: 1, id: subject.id, steps });
}

/** All of them, whatever becomes of each: a failure is a warning. */
export async function poststop(subject: Subject): Promise<void> {
  for (const step of hookSteps(subject, 'poststop', 'stopped', 0))
    await carryOut({ version: 1, id: subject.id, steps: [step] }).catch((error: Error) =>
      writeSync(2, `warning: ${error.message}\n`),
    );
}

function hookSteps(subject: Subject, point: HookPoint, status: string, pid: number | string): Step[] {
  return (subject.spec.hooks?.[point] ?? []).map((hook, i) => ({
    at: 'host',
    phase: 'hooks',
    from: { lesson: 'runtime', field: `hooks.${point}[${i}]` },
    kind: 'spawn',
    ...program(hook),
    input: stateJson(subject, status, pid),
    ...(typeof pid === 'string' ? { pidWord: pid } : {}),
  }));
}

/** Times are in seconds there, and in milliseconds here; 0 waits for ever. */
const program = ({ path, args, env, timeout }: Hook) => ({
  path,
  argv: args ?? [path],
  envp: env ?? [],
  timeout: (timeout ?? 0) * 1000,
});

function stateJson({ id, bundle, spec }: Subject, status: string, pid: number | string): string {
  const { annotations } = spec;
  const state = {
    ociVersion: '1.3.0',
    id,
    status,
    pid,
    bundle: bundle ?? '',
    ...(annotations ? { annotations } : {}),
  };
  return JSON.stringify(state).replace(`"${PID_WORD}"`, PID_WORD);
}
