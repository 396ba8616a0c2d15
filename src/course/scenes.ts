/** Plays scenes: one shell on the host, one that is the container, each command with its claims judged. */
import type { Claim, Scene, SceneCommand, SceneLine } from './lesson.ts';
import { timeScale } from './scale.ts';
import { type ContainerShell, SceneRoom } from './scene-room.ts';
import type { Result, Shell } from './shell.ts';

/** What a command showed, against what the text claims. */
export interface Shown extends Result {
  line: SceneCommand;
  /** The claims that did not hold. */
  broken: Claim[];
  /** Whether everything that the text claims was seen. */
  holds: boolean;
}

/** Mentioning one of these means the container: it is started for it. */
const aboutContainer = /\$\{?(PID|ROOTFS|CONTAINER)\b/;
const LIMIT = 20_000;

/** One play of a lesson: shells are opened when first needed and stay until `close`. */
export class Stage {
  readonly #lesson: string;
  #room: SceneRoom | undefined;
  #host: Shell | undefined;
  #container: (ContainerShell & { flags: string }) | undefined;
  #closed = false;

  constructor(lesson: string) {
    this.#lesson = lesson;
  }

  /** Lines as they come; a command's line comes before it runs (`run` does that), so that it can be shown first. */
  async *play(scene: Scene): AsyncGenerator<{ line: SceneLine; run: () => Promise<Shown> }> {
    if (scene.fresh) await this.#endContainer();
    for (const line of scene.lines) {
      yield { line, run: () => this.#run(scene, line as SceneCommand) };
    }
  }

  /** Everything that the scenes made goes. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#endContainer();
    await this.#room?.endContainers();
    await this.#host?.close();
    await this.#room?.close();
  }

  async #run(scene: Scene, line: SceneCommand): Promise<Shown> {
    const shell = await this.#shell(scene, line);
    const result = await shell.run(line.command, LIMIT * timeScale());
    // The next command for the host finds a new one; a container that has ended stays so.
    if (result.over && shell === this.#host) this.#host = undefined;
    return { ...result, ...judge(line, result) };
  }

  async #shell(scene: Scene, line: SceneCommand): Promise<Shell> {
    if (this.#closed) throw new Error('the stage is closed');
    this.#room ??= SceneRoom.open();
    if (!this.#host) {
      this.#host = this.#room.hostShell();
      if (this.#container) await this.#tellHost();
    }
    const flags = scene.run ?? `--lesson ${this.#lesson}`;
    if (line.at === 'container' || aboutContainer.test(line.command))
      await this.#needContainer(this.#room, flags);
    if (line.at === 'host') return this.#host;
    // Never the host's in its stead: a scene may well say rm -rf /* in a container.
    if (!this.#container) throw new Error('there is no container to run this in');
    return this.#container.shell;
  }

  async #needContainer(room: SceneRoom, flags: string): Promise<void> {
    // One that has ended stays: the text may want to show that it has.
    if (this.#container?.flags === flags) return;
    await this.#endContainer();
    this.#container = { ...(await room.containerShell(flags)), flags };
    await this.#tellHost();
  }

  async #tellHost(): Promise<void> {
    const { pid, rootfs, id } = this.#container ?? {};
    await this.#host?.run(
      `PID=${pid} ROOTFS='${rootfs}' CONTAINER='${id}'; export PID ROOTFS CONTAINER`,
      LIMIT,
    );
  }

  async #endContainer(): Promise<void> {
    const container = this.#container;
    this.#container = undefined;
    await container?.shell.close();
  }
}

export function judge(
  line: SceneCommand,
  { output, status, over }: Result,
): Pick<Shown, 'line' | 'broken' | 'holds'> {
  const broken = line.claims.filter((claim) => claim.pattern.test(output) !== claim.matches);
  const statusHolds = line.status === undefined ? over !== 'time' : status === line.status;
  return { line, broken, holds: statusHolds && broken.length === 0 };
}
