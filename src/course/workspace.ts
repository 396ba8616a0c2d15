/** The learner's folder: their exercises, and what an editor needs to know tslab's types. All of it is theirs. */
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { packageRoot } from '../package-root.ts';
import { asLearner, type Learner } from './learner.ts';
import { unused } from './progress.ts';

export interface Workspace {
  readonly dir: string;
  fileOf(id: string): string;
  /** Whether it was written: what the learner has is never overwritten. */
  begin(id: string, starter: string): boolean;
  /** Puts the starter back. Returns where the learner's own file is now, if there was one. */
  reset(id: string, starter: string): string | undefined;
}

export function workspace(who: Learner, dir?: string): Workspace {
  const folder = dir ? resolve(dir) : join(who.home, 'tslab');
  const fileOf = (id: string) => join(folder, `${id}.ts`);
  const begin = (id: string, starter: string) => {
    furnish(folder);
    return writeNew(fileOf(id), starter);
  };
  return {
    dir: folder,
    fileOf,
    begin: (id, starter) => asLearner(who, () => begin(id, starter)),
    reset: (id, starter) =>
      asLearner(who, () => {
        const file = fileOf(id);
        const backup = existsSync(file) ? unused(`${file}.backup`) : undefined;
        if (backup) renameSync(file, backup);
        begin(id, starter);
        return backup;
      }),
  };
}

/** What an editor needs to know tslab's types; and, in a course's folder, what its checks import. */
export function furnish(folder: string): void {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  writeNew(join(folder, 'tsconfig.json'), tsconfig);
  const link = join(folder, 'node_modules/tslab');
  if (linksTo(link) === packageRoot) return;
  rmSync(link, { recursive: true, force: true });
  symlinkSync(packageRoot, link);
}

const tsconfig = `${JSON.stringify(
  {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      erasableSyntaxOnly: true,
      skipLibCheck: true,
      types: [],
      paths: {
        tslab: ['./node_modules/tslab/src/index.ts'],
        'tslab/checks': ['./node_modules/tslab/src/checks.ts'],
      },
    },
    include: ['**/*.ts'],
  },
  undefined,
  2,
)}\n`;

function linksTo(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

/** Whether it was written. O_EXCL also refuses a symlink, wherever it points (open(2)). */
function writeNew(file: string, text: string): boolean {
  let fd: number;
  try {
    fd = openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  writeSync(fd, text);
  closeSync(fd);
  return true;
}
