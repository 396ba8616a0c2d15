/** The config, and the stages, that the flags of `tslab run` and `tslab plan` mean. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { INIT_ANNOTATION } from '../../lessons/03-pid/stage.ts';
import { stages as allStages, lessons } from '../../lessons/index.ts';
import { furtherLessons, stagesFor } from '../course/course-folder.ts';
import { probe } from '../facts/probe.ts';
import { mergeEnv } from '../image/env.ts';
import { mapVolumes } from '../image/volumes.ts';
import { defaultSpec } from '../oci/default.ts';
import type { Spec } from '../oci/spec.ts';
import { canDecideDevices } from '../steps/cgroup/resources.ts';
import type { Stage } from '../steps/stage.ts';
import { addMounts } from './mount-flags.ts';
import { setNetwork } from './network-flags.ts';
import { deviceRules, resourcesFrom } from './resource-flags.ts';
import { secure } from './security-flags.ts';
import type { SpecFlags } from './spec-flags.ts';
import { setClocks } from './time-flags.ts';
import { setUserns } from './userns-flags.ts';

/** @throws Error naming the flag and what it takes. */
export function specFrom(
  args: string[],
  flags: SpecFlags,
  rootfs: string,
): { spec: Spec; stages: readonly Stage[] } {
  const lesson = flags.lesson === undefined ? undefined : lessonId(flags.lesson);
  if (flags.rootfs !== undefined && !existsSync(rootfs))
    throw new Error(`--rootfs ${flags.rootfs}: no such directory`);
  const spec = defaultSpec({ args, rootfs: resolve(rootfs), ...(lesson === undefined ? {} : { lesson }) });
  const program = spec.process;
  if (program) {
    program.env = mergeEnv(program.env ?? [], variables(flags));
    if (flags.workdir !== undefined) program.cwd = flags.workdir;
    if (flags.user !== undefined) program.user = user(flags.user);
    if (flags.groupAdd)
      program.user = { uid: 0, gid: 0, ...program.user, additionalGids: flags.groupAdd.map(gid) };
    if (flags.tty) terminal(spec);
  }
  secure(spec, flags);
  if (flags.hostname !== undefined) spec.hostname = flags.hostname;
  if (flags.domainname !== undefined) spec.domainname = flags.domainname;
  if (flags.readOnly && spec.root) spec.root.readonly = true;
  if (flags.init) spec.annotations = { ...spec.annotations, [INIT_ANNOTATION]: 'true' };
  const stages = lesson === undefined ? allStages : stagesFor(lesson);
  addResources(spec, flags, stages);
  addMounts(spec, flags); // a device that is given is opened in what is closed by now
  setUserns(spec, flags);
  setClocks(spec, flags);
  mapVolumes(spec);
  setNetwork(spec, flags);
  return { spec, stages };
}

/** Closed to devices that it was not given, where there is somebody to see to it, and but for the privileged. */
function addResources(spec: Spec, flags: SpecFlags, stages: readonly Stage[]): void {
  const possible =
    !flags.privileged && stages.some(({ id }) => id === 'cgroup') && canDecideDevices(probe(spec));
  const devices = deviceRules(flags, possible);
  const resources = { ...resourcesFrom(flags), ...(devices ? { devices } : {}) };
  if (Object.keys(resources).length > 0) spec.linux = { ...spec.linux, resources };
}

function lessonId(name: string): string {
  // A stage that has no text yet counts as well.
  if (allStages.some(({ id }) => id === name)) return name;
  const all = [...lessons, ...furtherLessons()];
  const found = all.find((lesson) => lesson.id === name || String(lesson.number) === name);
  if (!found)
    throw new Error(`--lesson ${name}: it takes one of ${all.map((l) => `${l.number} ${l.id}`).join(', ')}`);
  return found.id;
}

/** Without `=`, the asker's own value is passed on, as docker does. */
export const variables = ({ env = [] }: SpecFlags): string[] =>
  env.map((text) => (text.includes('=') ? text : `${text}=${process.env[text] ?? ''}`));

function user(text: string): { uid: number; gid: number } {
  const found = /^(\d+)(?::(\d+))?$/.exec(text);
  if (!found) throw new Error(`--user ${text}: it takes numbers, uid or uid:gid`);
  return { uid: Number(found[1]), gid: Number(found[2] ?? found[1]) };
}

function gid(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--group-add ${text}: it takes a number`);
  return Number(text);
}

function terminal(spec: Spec): void {
  if (!spec.process) return;
  spec.process.terminal = true;
  const { rows, columns } = process.stdout;
  if (rows && columns) spec.process.consoleSize = { height: rows, width: columns };
}
