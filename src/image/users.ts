/** Whom `User` of an image, or --user, means: passwd(5) and group(5) of the image itself decide. */
import { readInLayers } from './layer-files.ts';

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** Undefined if passwd doesn't know them. */
  readonly home?: string;
}

/** (uid_t) -1 is nobody's. */
const ID_MAX = 0xffff_fffe;

/**
 * image-spec, config.md, "User": `user`, `uid`, `user:group`, `uid:gid`, `uid:group`, `user:gid`. Without a group it is the
 * one that passwd names, with all that /etc/group adds; a number that is unknown has group 0.
 *
 * @throws Error for a name that the image doesn't know.
 */
export function findUser(text: string, layers: readonly string[]): User {
  const [who = '', group, ...rest] = text.split(':');
  if (who === '' || group === '' || rest.length > 0)
    throw new Error(`user ${JSON.stringify(text)}: it takes user, user:group, or their numbers`);
  const known = lines(layers, '/etc/passwd').find(([name, , uid]) => name === who || uid === who);
  const uid = known ? id(known[2], text) : id(who, text, '/etc/passwd');
  const home = known?.[5] === undefined || known[5] === '' ? {} : { home: known[5] };
  if (group !== undefined) {
    const found = lines(layers, '/etc/group').find(([name, , gid]) => name === group || gid === group);
    return {
      uid,
      gid: found ? id(found[2], text) : id(group, text, '/etc/group'),
      additionalGids: [],
      ...home,
    };
  }
  return {
    uid,
    gid: known ? id(known[3], text) : 0,
    additionalGids: known ? groupsOf(known[0] ?? '', layers) : [],
    ...home,
  };
}

function groupsOf(name: string, layers: readonly string[]): number[] {
  const groups = lines(layers, '/etc/group').filter(([, , , members = '']) =>
    members.split(',').includes(name),
  );
  return [...new Set(groups.map(([, , gid]) => Number(gid)))].filter((gid) => gid >= 0 && gid <= ID_MAX);
}

const lines = (layers: readonly string[], file: string): string[][] =>
  (readInLayers(layers, file) ?? '').split('\n').map((line) => line.split(':'));

function id(text: string | undefined, wanted: string, file?: string): number {
  if (/^\d+$/.test(text ?? '') && Number(text) <= ID_MAX) return Number(text);
  throw new Error(
    `user ${JSON.stringify(wanted)}: ${JSON.stringify(text)} is ${file ? `not in the image's ${file}` : 'no id'}`,
  );
}
