/** What a lesson's checks.ts is made of: claims about evidence, each with one of four outcomes. */
import type { Stats } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Spec } from '../oci/spec.ts';
import type { KeptType } from './kept-namespace.ts';
import type { Language } from './lesson.ts';

export type Text = Record<Language, string>;

export type Outcome =
  | { outcome: 'pass' }
  | { outcome: 'fail'; expected: Text; shown: string }
  /** This host can't show it; never used for what the learner got wrong. */
  | { outcome: 'skip'; reason: Text }
  /** The checker broke, not the learner's stage. */
  | { outcome: 'error'; reason: string };

export interface Check {
  id: string;
  title: Text;
  why: Text;
  look: Text;
  run(lab: Lab): Promise<Outcome>;
}

/** Where the learner's stage is tried: in the real runtime, with the host behind a box. */
export interface Lab {
  /**
   * Starts a container with all stages up to this lesson, this lesson's being the learner's.
   *
   * @throws StartError, which becomes a `fail` with the step and what its error means, unless the check catches it.
   */
  start(argv: string[], change?: (spec: Spec) => void): Promise<Running>;
  /**
   * As `start`, with a namespace of that type that is there already: it is kept by a file, which the config names. Nobody
   * is in it any more; `joined` is its inode number.
   */
  startJoined(
    type: KeptType,
    argv: string[],
    change?: (spec: Spec) => void,
  ): Promise<Running & { joined: number }>;
  /** What a container here can have limits of, in the words of the host's cgroup version; empty where the host can give a box no cgroups. */
  readonly controllers: readonly string[];
  /** The mounts of the host's side of the attempt, now and before the last container was made. */
  host: { mountinfo(): string; mountinfoBefore(): string };
  /** A new folder beside the root folders, where the container's root may write. */
  folder(): string;
  /**
   * A new file, and what one says: in a folder of `folder()`, in a root folder, or beside those. The container may be at
   * work there and is not to be trusted, so this is the only way in which checks touch such files.
   */
  write(file: string, text: string): void;
  /** Undefined if it is not there, or no plain file. */
  read(file: string): string | undefined;
  /** What lies there, a symlink or a device itself; undefined if nothing does. */
  stat(file: string): Stats | undefined;
}

export interface Running {
  /** As the host counts. */
  pid: number;
  rootfs: string;
  /** Everything that it has written until now. */
  stdout(): string;
  stderr(): string;
  /** Whether its standard output comes to match within the time (5 s). */
  waitFor(pattern: RegExp, ms?: number): Promise<boolean>;
  stdin: Writable;
  signal(name: NodeJS.Signals): void;
  exit: Promise<{ code: number } | { signal: string }>;
  stop(): Promise<void>;
}

export const pass = (): Outcome => ({ outcome: 'pass' });
export const fail = (expected: Text, shown: string): Outcome => ({ outcome: 'fail', expected, shown });
export const skip = (reason: Text): Outcome => ({ outcome: 'skip', reason });
