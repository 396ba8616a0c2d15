/**
 * What only root can do with an ordinary user's layers: give files to other ids of the user's range, read and remove what they own.
 * Root does it here and now; anybody else in a process that is root of a user namespace of their own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { usernsForbiddenBy } from '../../facts/userns.ts';
import { packageRoot } from '../../package-root.ts';
import { ownNamespace } from '../../runtime/own-namespace.ts';
import type { Note } from './owned.ts';

/** Each takes what can be written as JSON, and gives such. */
export type Task = 'unpack' | 'pack' | 'changes' | 'remove';
type Work = (order: never, note: Note) => Promise<unknown>;

/** Loaded when asked for: what imports this is imported by them. */
const tasks: Readonly<Record<Task, () => Promise<Work>>> = {
  unpack: async () => (await import('./unpack.ts')).unpackHere,
  pack: async () => (await import('./pack.ts')).packHere,
  changes: async () => (await import('./changes.ts')).changesHere,
  remove: async () => (await import('../store/prune.ts')).removeHere,
};

type Answer = { note: string } | { result: unknown } | { error: string };

/** @throws Error of the task's, or if this user can't have a user namespace. */
export async function asOwnRoot<T>(task: Task, order: object, note: Note = () => {}): Promise<T> {
  if (process.geteuid?.() === 0) return (await (await tasks[task]())(order as never, note)) as T;
  const words = ownNamespace(process.getuid?.() ?? 0);
  if (!words) throw new Error(`image layers: ${whyNot()}`);
  const [unshare = '', ...how] = words;
  const program = join(packageRoot, 'dist/image/layer/own-root-program.js');
  const args = [...how, '--', process.execPath, program, task, JSON.stringify(order)];
  const child = spawn(unshare, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  let last: Answer | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const answer: Answer = JSON.parse(line);
    if ('note' in answer) note(answer.note);
    else last = answer;
  }
  const [code, signal] = await gone;
  if (last && 'result' in last) return last.result as T;
  throw new Error(last && 'error' in last ? last.error : `unshare: it ended (${signal ?? code})`);
}

function whyNot(): string {
  const off = usernsForbiddenBy();
  return off === undefined
    ? 'their files have owners, so this takes a user namespace, and this host gives you none'
    : `their files have owners, so this takes a user namespace; sudo sysctl ${off}`;
}

/** The other side (own-root-program.ts). */
export async function perform(task: Task, order: string): Promise<void> {
  const say = (answer: Answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  try {
    const work = await tasks[task]();
    say({ result: (await work(JSON.parse(order) as never, (note) => say({ note }))) ?? null });
  } catch (error) {
    say({ error: (error as Error).message });
  }
}
