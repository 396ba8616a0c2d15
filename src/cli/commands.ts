/** The table of commands, in the order of the help. */
import { command as bench } from './commands/bench.ts';
import { command as check } from './commands/check.ts';
import { command as clean } from './commands/clean.ts';
import { command as dev } from './commands/dev.ts';
import { command as doctor } from './commands/doctor.ts';
import { command as exec } from './commands/exec.ts';
import { command as exercise } from './commands/exercise.ts';
import { command as grade } from './commands/grade.ts';
import { command as hint } from './commands/hint.ts';
import { command as image } from './commands/image.ts';
import { command as kill } from './commands/kill.ts';
import { command as language } from './commands/language.ts';
import { command as lesson } from './commands/lesson.ts';
import { command as list } from './commands/list.ts';
import { command as logs } from './commands/logs.ts';
import { command as mark } from './commands/mark.ts';
import { command as next } from './commands/next.ts';
import { command as pause } from './commands/pause.ts';
import { command as plan } from './commands/plan.ts';
import { command as progress } from './commands/progress.ts';
import { command as ps } from './commands/ps.ts';
import { command as reset } from './commands/reset.ts';
import { command as rm } from './commands/rm.ts';
import { command as rootfs } from './commands/rootfs.ts';
import { command as run } from './commands/run.ts';
import { command as solution } from './commands/solution.ts';
import { command as start } from './commands/start.ts';
import { command as stats } from './commands/stats.ts';
import { command as stop } from './commands/stop.ts';
import { command as unpause } from './commands/unpause.ts';
import { command as update } from './commands/update.ts';
import { command as volume } from './commands/volume.ts';
import { command as wait } from './commands/wait.ts';

export const commands = {
  lesson,
  list,
  next,
  exercise,
  check,
  hint,
  solution,
  reset,
  progress,
  language,
  grade,
  mark,
  run,
  start,
  exec,
  ps,
  logs,
  stop,
  kill,
  wait,
  pause,
  unpause,
  stats,
  update,
  rm,
  volume,
  rootfs,
  image,
  plan,
  clean,
  doctor,
  bench,
  dev,
};

/** Without a command: the menu. */
export async function otherwise(): Promise<void> {
  const { lessonCommand } = await import('../course/lesson-command.ts');
  const { runAsOwnRoot } = await import('../course/own-namespace.ts');
  process.exitCode = runAsOwnRoot() ?? (await lessonCommand(undefined, {}));
}
