/** The curriculum: the product's table of contents, and the stages of the runtime in its order. */
import type { Check } from '../src/course/check.ts';
import type { Stage, StageFunction } from '../src/steps/stage.ts';
import process, * as process00 from './00-process/stage.ts';
import chroot, * as chroot01 from './01-chroot/stage.ts';
import mount, * as mount02 from './02-mount/stage.ts';
import pid, * as pid03 from './03-pid/stage.ts';
import uts, * as uts04 from './04-uts/stage.ts';
import ipc, * as ipc05 from './05-ipc/stage.ts';
import net, * as net06 from './06-net/stage.ts';
import user, * as user07 from './07-user/stage.ts';
import time, * as time08 from './08-time/stage.ts';
import cgroup, * as cgroup09 from './09-cgroup/stage.ts';
import overlay, * as overlay10 from './10-overlay/stage.ts';
import harden, * as harden12 from './12-harden/stage.ts';

export interface Lesson {
  readonly number: number;
  readonly id: string;
  readonly folder: string;
  readonly stage: Stage;
  /** Loaded when needed: a start of the runtime has no use for them. */
  readonly checks: () => Promise<{ checks: readonly Check[] }>;
}

const stage = (id: string, plan: StageFunction, { owns }: { owns: readonly string[] }): Stage => ({
  id,
  owns,
  plan,
});

/** All stages of the runtime, in the curriculum's order. */
export const stages: readonly Stage[] = [
  stage('process', process, process00),
  stage('chroot', chroot, chroot01),
  stage('mount', mount, mount02),
  stage('pid', pid, pid03),
  stage('uts', uts, uts04),
  stage('ipc', ipc, ipc05),
  stage('net', net, net06),
  stage('user', user, user07),
  stage('time', time, time08),
  stage('cgroup', cgroup, cgroup09),
  stage('overlay', overlay, overlay10),
  stage('harden', harden, harden12),
];

const stageOf = (id: string): Stage => {
  const found = stages.find((stage) => stage.id === id);
  if (!found) throw new Error(`lessons: no stage is called ${id}`);
  return found;
};

/** A folder's name says the lesson's number and its stage. */
function lesson(folder: string, checks: Lesson['checks']): Lesson {
  const [number = '', id = ''] = folder.split('-');
  return { number: Number(number), id, folder, stage: stageOf(id), checks };
}

/** The lessons that have a text. */
export const lessons: readonly Lesson[] = [
  lesson('00-process', () => import('./00-process/checks.ts')),
  lesson('01-chroot', () => import('./01-chroot/checks.ts')),
  lesson('02-mount', () => import('./02-mount/checks.ts')),
  lesson('03-pid', () => import('./03-pid/checks.ts')),
  lesson('04-uts', () => import('./04-uts/checks.ts')),
  lesson('05-ipc', () => import('./05-ipc/checks.ts')),
  lesson('06-net', () => import('./06-net/checks.ts')),
  lesson('07-user', () => import('./07-user/checks.ts')),
  lesson('08-time', () => import('./08-time/checks.ts')),
  lesson('09-cgroup', () => import('./09-cgroup/checks.ts')),
  lesson('10-overlay', () => import('./10-overlay/checks.ts')),
  lesson('12-harden', () => import('./12-harden/checks.ts')),
];

/** The runtime as a learner has it after that lesson. */
export function stagesUpTo(id: string): readonly Stage[] {
  return stages.slice(0, stages.indexOf(stageOf(id)) + 1);
}
