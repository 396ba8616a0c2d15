/**
 * A learner's stage in the real runtime. It is evaluated without rights (sandbox.ts), validated, put in the place
 * of the lesson's own stage, and performed in a box: the launcher first leaves for a mount namespace whose `/` is
 * shared, as systemd makes it, so that a forgotten MS_PRIVATE shows up there, and never on the real host.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stagesUpTo } from '../../lessons/index.ts';
import { probe } from '../facts/probe.ts';
import { defaultSpec } from '../oci/default.ts';
import type { Spec } from '../oci/spec.ts';
import { type Policy, validateDrafts } from '../plan/validate.ts';
import { withOrigin } from '../runtime/plan.ts';
import { copyRootfs } from '../runtime/rootfs.ts';
import { type Container, start } from '../runtime/run.ts';
import { defaultDevicePaths } from '../steps/devices.ts';
import type { Draft, Stage } from '../steps/stage.ts';
import type { CatalogLesson } from './catalog.ts';
import type { Lab, Running } from './check.ts';
import { ownFolder, removeFolder } from './rootfs.ts';
import { evaluate } from './sandbox.ts';
import { timeScale } from './scale.ts';

/** The learner's file, already read; or undefined for the built-in stage. */
export interface Submission {
  file: string;
  source: string;
}

const box = (
  [
    // Names, queues and links too: a step such as sethostname without a namespace of its own changes the box's only.
    {
      at: 'host',
      phase: 'prepare',
      kind: 'unshare',
      flags: ['CLONE_NEWNS', 'CLONE_NEWUTS', 'CLONE_NEWIPC', 'CLONE_NEWNET'],
    },
    { at: 'host', phase: 'prepare', kind: 'mount', target: '/', flags: ['MS_REC', 'MS_PRIVATE'] },
    { at: 'host', phase: 'prepare', kind: 'mount', target: '/', flags: ['MS_REC', 'MS_SHARED'] },
  ] satisfies Draft[]
).map((draft) => withOrigin(draft, 'box'));

/** A place for the attempts of one check; `close` ends them all. */
export class Attempts implements Lab {
  readonly #lesson: CatalogLesson;
  readonly #submission: Submission | undefined;
  readonly #folder = ownFolder();
  readonly #containers: Container[] = [];
  #rootfs = 0;
  /** What the learner's stage printed. */
  printed = '';

  constructor(lesson: CatalogLesson, submission: Submission | undefined) {
    this.#lesson = lesson;
    this.#submission = submission;
  }

  readonly host = {
    mountinfo: (): string => {
      const launcher = this.#containers.at(-1)?.launcherPid;
      if (launcher === undefined) throw new Error('host.mountinfo: start a container first');
      return readFileSync(`/proc/${launcher}/mountinfo`, 'utf8');
    },
  };

  async start(argv: string[], change: (spec: Spec) => void = () => {}): Promise<Running> {
    const rootfs = copyRootfs(join(this.#folder, `rootfs-${++this.#rootfs}`));
    const spec = defaultSpec({ args: argv, rootfs, lesson: this.#lesson.id });
    change(spec);
    const stages = await this.#stages(spec);
    const container = await start(spec, { stages, before: box, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#containers.push(container);
    return running(container, rootfs);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#containers.map((container) => container.stop()));
    removeFolder(this.#folder);
  }

  async #stages(spec: Spec): Promise<readonly Stage[]> {
    const stages = stagesUpTo(this.#lesson.id);
    const submission = this.#submission;
    if (!submission) return stages;
    const own = stages.find((stage) => stage.id === this.#lesson.id);
    const facts = probe(spec);
    const { drafts, printed } = await evaluate(submission.file, submission.source, spec, facts);
    this.printed = printed;
    validateDrafts(drafts, policyFor(spec, own?.plan(spec, facts) ?? []));
    return stages.map((stage) => (stage === own ? { ...own, plan: () => drafts as Draft[] } : stage));
  }
}

/** The learner's stage may use on the host's side what the lesson's own does there, and the config's paths. */
function policyFor(spec: Spec, reference: readonly Draft[]): Policy {
  const onHost = reference.filter((draft) => draft.at === 'host').map((draft) => draft.kind);
  const sources = (spec.mounts ?? []).filter(
    (mount) => mount.type === 'bind' || mount.options?.some((o) => o === 'bind' || o === 'rbind'),
  );
  return {
    hostKinds: [...new Set<Draft['kind']>(['clone', ...onHost])],
    hostPaths: [spec.root?.path, ...sources.map((mount) => mount.source), ...defaultDevicePaths].filter(
      (path) => path !== undefined,
    ),
    argv: spec.process?.args ?? [],
    envp: spec.process?.env ?? [],
  };
}

function running(container: Container, rootfs: string): Running {
  const { stdin, stdout, stderr } = container;
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
    stop: () => container.stop(),
    async waitFor(pattern, ms = 5000) {
      const deadline = performance.now() + ms * timeScale();
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
