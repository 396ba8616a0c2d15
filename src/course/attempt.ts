/**
 * A learner's stage in the real runtime. It is evaluated without rights (sandbox.ts), validated, put in the place of
 * the lesson's own stage, and performed in a box (box.ts) that stands for the host.
 */
import { lstatSync, mkdirSync, readFileSync, type Stats } from 'node:fs';
import { join, relative } from 'node:path';
import type { Facts } from '../facts/facts.ts';
import { probe } from '../facts/probe.ts';
import { defaultSpec } from '../oci/default.ts';
import type { Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import { validateDrafts } from '../plan/validate.ts';
import { withOwnCgroup } from '../runtime/own-cgroup.ts';
import { readPlain, writeNew } from '../runtime/plain-file.ts';
import { planFor } from '../runtime/plan.ts';
import { copyRootfs } from '../runtime/rootfs.ts';
import type { Container } from '../runtime/run.ts';
import type { Draft, Stage } from '../steps/stage.ts';
import {
  type Boxed,
  boxUid,
  factsInBox,
  furnishBox,
  giveToBox,
  openBox,
  performIn,
  sharedTree,
} from './box.ts';
import { bridgeFor } from './box-bridge.ts';
import { cgroupInBox, controllersInBox, stepAside } from './box-cgroup.ts';
import type { CatalogLesson } from './catalog.ts';
import type { Lab, Running } from './check.ts';
import { stagesFor } from './course-folder.ts';
import { joining, type Kept, type KeptType, keeping, numberOf } from './kept-namespace.ts';
import { policyFor } from './policy.ts';
import { ownFolder, removeFolder } from './rootfs.ts';
import { evaluate } from './sandbox.ts';
import { timeScale } from './scale.ts';

/** The learner's file, already read; or undefined for the built-in stage. */
export interface Submission {
  file: string;
  source: string;
}

/** A place for the attempts of one check; `close` ends them all. */
export class Attempts implements Lab {
  readonly #lesson: CatalogLesson;
  readonly #submission: Submission | undefined;
  readonly #own = ownFolder();
  readonly #folder: string;
  readonly #boxes: Container[] = [];
  readonly controllers: readonly string[];
  #last: { launcher: number; before: string } | undefined;
  #names = 0;
  /** What the learner's stage printed. */
  printed = '';

  constructor(lesson: CatalogLesson, submission: Submission | undefined) {
    this.#lesson = lesson;
    this.#submission = submission;
    this.#folder = furnishBox(this.#own);
    // Whose runtime has not come to cgroups yet, has no use for a subtree.
    const wanted = stagesFor(lesson.id).some(({ id }) => id === 'cgroup');
    this.controllers = wanted ? controllersInBox(cgroupInBox(probe())) : [];
  }

  readonly host = {
    mountinfo: () => readFileSync(`/proc/${this.#started.launcher}/mountinfo`, 'utf8'),
    mountinfoBefore: () => this.#started.before,
  };

  get #started() {
    if (!this.#last) throw new Error('host: start a container first');
    return this.#last;
  }

  folder(): string {
    const folder = join(this.#folder, `folder-${++this.#names}`);
    mkdirSync(folder);
    giveToBox(folder);
    return folder;
  }

  write(file: string, text: string): void {
    writeNew(this.#within(file), text, boxUid);
  }

  read(file: string): string | undefined {
    return readPlain(this.#within(file));
  }

  stat(file: string): Stats | undefined {
    return lstatSync(this.#within(file), { throwIfNoEntry: false });
  }

  /** Who is in the box can't rename what is in our folder, but all below: a path goes one level further, and no symlink is followed there. */
  #within(file: string): string {
    const names = relative(this.#folder, file).split('/');
    if (names.length > 2 || names.some((name) => ['', '.', '..'].includes(name)))
      throw new Error(`lab: ${file}: a check may name a file in its folders, ${this.#folder}/NAME/FILE`);
    return file;
  }

  async start(argv: string[], change: (spec: Spec) => void = () => {}): Promise<Running> {
    return (await this.#start(argv, change)).running;
  }

  async startJoined(type: KeptType, argv: string[], change: (spec: Spec) => void = () => {}) {
    const kept: Kept = { type, path: join(this.folder(), 'namespace') };
    this.write(kept.path, '');
    const { running, joined } = await this.#start(argv, change, kept);
    return { ...running, joined };
  }

  async #start(argv: string[], change: (spec: Spec) => void, kept?: Kept) {
    const rootfs = copyRootfs(join(this.#folder, `rootfs-${++this.#names}`));
    giveToBox(rootfs);
    const asked = defaultSpec({ args: argv, rootfs, lesson: this.#lesson.id });
    if (kept) joining(asked, kept);
    change(asked);
    const withCgroups = this.controllers.length > 0;
    const bridge = bridgeFor(asked);
    const facts = {
      ...factsInBox(probe(asked), withCgroups),
      ...(bridge ? { network: bridge.facts } : {}),
    };
    const spec = withOwnCgroup('attempt', asked, facts);
    const before = [
      ...sharedTree,
      ...stepAside(facts.cgroup),
      ...(kept ? keeping(kept) : []),
      ...(bridge?.before ?? []),
    ];
    const plan = planFor('attempt', spec, facts, await this.#stages(spec, facts), { before });
    const box = await openBox(this.#folder, withCgroups);
    this.#boxes.push(box);
    const joined = kept ? numberOf(box.pid, kept) : 0;
    const container = await performIn(box, plan);
    this.#last = { launcher: box.pid, before: container.mountsBefore };
    return { running: running(box, container, rootfs), joined };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#boxes.map((box) => box.stop()));
    removeFolder(this.#own);
  }

  async #stages(spec: Spec, facts: Facts): Promise<readonly Stage[]> {
    const stages = stagesFor(this.#lesson.id);
    const submission = this.#submission;
    if (!submission) return stages;
    const own = stages.find((stage) => stage.id === this.#lesson.id);
    const { drafts, printed } = await evaluate(submission.file, submission.source, spec, facts);
    this.printed = printed;
    validateDrafts(drafts, policyFor(spec, facts, own ? whatItDoes(own, spec, facts) : []));
    return stages.map((stage) => (stage === own ? { ...own, plan: () => drafts as Draft[] } : stage));
  }
}

/** A config that the lesson's own stage refuses: nothing on the host's side, and no word of it to the learner. */
function whatItDoes(own: Stage, spec: Spec, facts: Facts): readonly Draft[] {
  try {
    return own.plan(spec, facts);
  } catch (error) {
    if (error instanceof PlanError) return [];
    throw error;
  }
}

function running(box: Container, container: Boxed, rootfs: string): Running {
  const { stdin, stdout, stderr } = box;
  if (!stdin || !stdout || !stderr) throw new Error('no pipes');
  const [out, err] = [collect(stdout), collect(stderr)];
  return {
    pid: container.pid,
    rootfs,
    stdin,
    stdout: () => out.text,
    stderr: () => err.text,
    signal: (name) => container.kill(name),
    exit: container.exit,
    stop: () => box.stop(),
    async waitFor(pattern, ms = 5000) {
      let deadline = performance.now() + ms * timeScale();
      // Who has ended says no more; what they said last is in the pipe.
      const ended = () => {
        deadline = Math.min(deadline, performance.now() + 200 * timeScale());
      };
      container.exit.then(ended, ended);
      while (!pattern.test(out.text)) {
        if (performance.now() > deadline) return false;
        await new Promise((done) => setTimeout(done, 10));
      }
      return true;
    },
  };
}

function collect(stream: NodeJS.ReadableStream): { text: string } {
  const collected = { text: '' };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    if (collected.text.length < 1 << 20) collected.text += text;
  });
  return collected;
}
