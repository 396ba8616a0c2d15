/** The grounds for submissions that attack who grades them: a secret that only root can read, and ways to hand in an attack. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Attempts } from '../../src/course/attempt.ts';
import { findLesson } from '../../src/course/catalog.ts';
import type { Spec } from '../../src/oci/spec.ts';

export const random = () => `tslab-${randomBytes(8).toString('hex')}`;

export const lessonOf = (id: string) => {
  const lesson = findLesson(id);
  if (!lesson) throw new Error(id);
  return lesson;
};

export class Grounds implements Disposable {
  /** mkdtemp(3) gives mode 0700: nobody but root can look in. */
  readonly folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  readonly canary = join(this.folder, 'canary');
  readonly secret = random();

  constructor() {
    writeFileSync(this.canary, `${this.secret}\n`, { mode: 0o600 });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }

  /** The lesson's own stage, with further steps; `$CANARY`, `$FOLDER` and `ROOT` (the root folder's path) can be used. */
  hostile(id: string, steps: string): { file: string; source: string } {
    const text = readFileSync(join(lessonOf(id).folder, 'stage.ts'), 'utf8');
    const more = steps.replaceAll('$CANARY', this.canary).replaceAll('$FOLDER', this.folder);
    const source = `${text.replace(/^export default function \w+\(/m, 'function lesson(')}
export default function hostile(spec: any, facts: any): any[] {
  const ROOT = spec.root?.path;
  return [...lesson(spec, facts), ${more}];
}`;
    return { file: `${this.folder}/${id}.ts`, source };
  }

  /** Starts a container of that stage; what it said, or why it did not start. */
  async attempt(
    id: string,
    steps: string,
    argv: string[],
    input = '',
    change: (spec: Spec) => void = () => {},
  ): Promise<string> {
    const attempts = new Attempts(lessonOf(id), this.hostile(id, steps));
    try {
      const container = await attempts.start(argv, change);
      container.stdin.on('error', () => {});
      container.stdin.end(input);
      const patience = new Promise((done) => setTimeout(done, 5000).unref());
      await Promise.race([container.exit, patience]);
      await new Promise((done) => setTimeout(done, 50));
      return container.stdout() + container.stderr();
    } catch (error) {
      // A box that could not be built would make every attack fail.
      if (!['StartError', 'PlanError'].includes((error as Error).name)) throw error;
      return (error as Error).message;
    } finally {
      await attempts.close();
    }
  }
}

export const inMounts = "at: 'child', phase: 'mounts'";
/** A program of the learner's own, in the place where the check's `sh` is looked for first. */
export const plant = (script: string) => `
  { at: 'child', phase: 'exec', kind: 'mkdir', dir: 'root', path: '/usr/local/sbin', mode: 0o755, parents: true },
  { at: 'child', phase: 'exec', kind: 'open', dir: 'root', path: '/usr/local/sbin/sh', flags: ['O_CREAT'], mode: 0o755 },
  { at: 'child', phase: 'exec', kind: 'write', dir: 'root', path: '/usr/local/sbin/sh', data: ${JSON.stringify(
    `#!/bin/busybox sh\n${script}\n`,
  )} },`;
