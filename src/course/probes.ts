/** What the checks of several lessons share: containers that wait or obey, and the claims that each namespace's lesson makes. */
import { createHash, randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MountEntry, parseMountinfo } from '../evidence/mountinfo.ts';
import { namespace, status } from '../evidence/process.ts';
import type { Spec } from '../oci/spec.ts';
import { type Check, fail, type Lab, type Outcome, pass, type Running } from './check.ts';
import { StageProblem } from './sandbox.ts';

/** A word that nobody can have printed before. */
export const random = () => `tslab-${bytes().toString('hex')}`;

/** An integer from `from` up to, but not including, `to`. */
export const randomInt = (from: number, to: number) =>
  from + Math.floor((bytes().readUInt32LE() / 2 ** 32) * (to - from));

let bytes = () => randomBytes(8);

/** From now on the same seed gives the same words and numbers, so that a mark can be given a second time. */
export function useSeed(seed: string): void {
  let count = 0;
  bytes = () => createHash('sha256').update(`${seed} ${count++}`).digest().subarray(0, 8);
}

/** A program that says that it is there, and then waits. */
export const IDLE = 'echo "ready"; exec sleep 1000';

/** A container whose shell script has said "ready"; or the outcome if it did not. */
export async function ready(
  lab: Lab,
  script: string,
  change?: (spec: Spec) => void,
): Promise<Running | Outcome> {
  return awake(await lab.start(['sh', '-c', script], change));
}

/** The same of one that has been started. */
export async function awake<R extends Running>(container: R): Promise<R | Outcome> {
  if (await container.waitFor(/^ready$/m)) return container;
  return fail(
    { en: 'the container runs sh', zh: '容器里运行着 sh' },
    container.stderr() || 'no output from the program',
  );
}

/** What the stage says when it refuses a config; or the container, if it takes it. */
export async function refusal(lab: Lab, change: (spec: Spec) => void): Promise<string | Running> {
  try {
    return await lab.start(['sleep', '1000'], change);
  } catch (error) {
    if (error instanceof StageProblem && error.problem.code === 'throws') return error.problem.message;
    throw error;
  }
}

/** A file in each root folder: a container that doesn't see it stands on the host, and is told to do nothing there. */
const MARK = '.tslab-check';

/** A container whose shell does what it is ordered to. */
export function obeying(lab: Lab, change: (spec: Spec) => void = () => {}): Promise<Running | Outcome> {
  return ready(lab, 'echo "ready"; while read -r line; do eval "$line"; done', (spec) => {
    lab.write(join(spec.root?.path ?? '', MARK), '');
    change(spec);
  });
}

/** Has an obeying container do something in its root folder, waits until it is done, and returns what that said. */
export async function order(container: Running, command: string): Promise<string> {
  const done = random();
  const before = container.stdout().length;
  const elsewhere = 'its / is not the root folder, so nothing was tried';
  container.stdin.write(
    `if [ -e /${MARK} ]; then { ${command}; } 2>&1; else echo "${elsewhere}"; fi; echo ${done}\n`,
  );
  await container.waitFor(new RegExp(`^${done}$`, 'm'));
  return container.stdout().slice(before).replace(`${done}\n`, '');
}

/** A file on the host that no container should see: beside the container's root folder, so that it goes with it. */
export function secretBeside(lab: Lab, container: Running, name: string): { file: string; text: string } {
  const secret = { file: join(dirname(container.rootfs), name), text: random() };
  lab.write(secret.file, `${secret.text}\n`);
  return secret;
}

/** The host's mounts since the last container was made: `+` for one that has come, `-` for one that has gone. */
export function changedMounts({ host }: Lab): string[] {
  const [before, now] = [host.mountinfoBefore(), host.mountinfo()].map((text) =>
    parseMountinfo(text).map(key),
  );
  const without = (list: string[] = [], other: string[] = []) =>
    list.filter((entry) => !other.includes(entry));
  return [
    ...without(now, before).map((entry) => `+ ${entry}`),
    ...without(before, now).map((entry) => `- ${entry}`),
  ];
}

/** What makes a mount the same in two namespaces: its number and its ties differ. */
function key({ device, root, at, type, source }: MountEntry): string {
  return `${at} ${type} ${source} ${device} ${root}`;
}

/** Asks until it holds or the time is up; a new process needs a moment. */
export async function eventually(holds: () => boolean, ms = 3000): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/** The claim that the container's process has a namespace of its own; /proc's names for the types: namespaces(7). */
export function ownNamespace(
  type: 'mnt' | 'pid' | 'uts' | 'ipc' | 'net' | 'user' | 'time' | 'cgroup',
  { title, why }: Pick<Check, 'title' | 'why'>,
  /** What asks for it, where the config of the lesson does not. */
  change?: (spec: Spec) => void,
): Check {
  const link = `/proc/<pid>/ns/${type}`;
  const flag = `CLONE_NEW${type === 'mnt' ? 'NS' : type.toUpperCase()}`;
  return {
    id: 'namespace',
    title,
    why,
    look: {
      en: `readlink ${link}, beside that of its parent; clone(2), ${flag}`,
      zh: `readlink ${link}，与父进程的对比；clone(2) 的 ${flag}`,
    },
    async run(lab) {
      const container = await ready(lab, IDLE, change);
      if ('outcome' in container) return container;
      const { parent } = status(container.pid);
      const [own, parents] = [namespace(container.pid, type), namespace(parent, type)];
      if (own !== parents) return pass();
      return fail(
        {
          en: `another number than ${type}:[${parents}], which is that of the process that started it`,
          zh: `与启动它的进程的 ${type}:[${parents}] 不同的号码`,
        },
        `${type}:[${own}]`,
      );
    },
  };
}
