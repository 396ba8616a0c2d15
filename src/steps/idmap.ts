/** Id maps of a user namespace: what the kernel and the host allow, and the steps that write them (user_namespaces(7)). */
import type { Facts, IdRange } from '../facts/facts.ts';
import { type IdMapping, namespace, type Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import type { Draft } from './stage.ts';

/** Lines of a map since Linux 4.15. */
const LINES_MAX = 340;
/** (uid_t) -1 means "no change" in chown(2) and others, so it is nobody's id. */
const ID_MAX = 0xffff_fffe;
const PID_WORD = '@PID@';

const sorts = {
  uid: { field: 'linux.uidMappings', file: 'uid_map', helper: 'newuidmap', ranges: 'subuids' },
  gid: { field: 'linux.gidMappings', file: 'gid_map', helper: 'newgidmap', ranges: 'subgids' },
} as const;
type Sort = keyof typeof sorts;

/** @throws PlanError naming the field, for maps that the kernel would refuse with a bare EINVAL or EPERM. */
export function idMapSteps(spec: Spec, facts: Facts): Draft[] {
  const maps = { uid: spec.linux?.uidMappings ?? [], gid: spec.linux?.gidMappings ?? [] };
  for (const sort of ['uid', 'gid'] as const) checkMap(maps[sort], sorts[sort].field);
  checkUser(spec, maps);
  if (deniesSetgroups(spec, facts) && spec.process?.user?.additionalGids?.length)
    throw new PlanError(
      'process.user.additionalGids: who maps only their own group may not set others; map a range of /etc/subgid',
    );
  return [
    // An unprivileged writer of gid_map must first give up setgroups(2): else it could shed a group that denies access.
    ...(deniesSetgroups(spec, facts)
      ? [
          {
            ...host,
            kind: 'write',
            dir: 'proc',
            path: 'setgroups',
            data: 'deny',
            field: sorts.gid.field,
          } as const,
        ]
      : []),
    writeMap('uid', maps.uid, facts),
    writeMap('gid', maps.gid, facts),
  ];
}

const host = { at: 'host', phase: 'identity' } as const;

/** Who may write any map: root, and nobody else needs less than a helper for more than their own id. */
const mayWriteAny = (facts: Facts) => facts.uid === 0;

/** The one map that anybody may write: a single id, their own. */
const isOwnId = (maps: readonly IdMapping[], own: number) =>
  maps.length === 1 && maps[0]?.size === 1 && maps[0].hostID === own;

/** Whether processes of the new namespace will never be able to change their supplementary groups. */
export function deniesSetgroups(spec: Spec, facts: Facts): boolean {
  const wanted = namespace(spec, 'user');
  if (!wanted || wanted.path !== undefined) return false;
  return !mayWriteAny(facts) && isOwnId(spec.linux?.gidMappings ?? [], facts.gid);
}

function writeMap(sort: Sort, maps: readonly IdMapping[], facts: Facts): Draft {
  const { field, file, helper } = sorts[sort];
  if (mayWriteAny(facts) || isOwnId(maps, facts[sort]))
    return { ...host, kind: 'write', dir: 'proc', path: file, data: mapText(maps), field };
  const path = helperFor(sort, maps, facts);
  const numbers = maps.flatMap((map) => [map.containerID, map.hostID, map.size].map(String));
  return {
    ...host,
    kind: 'spawn',
    path,
    argv: [helper, PID_WORD, ...numbers],
    envp: [],
    input: '',
    timeout: 10_000,
    pidWord: PID_WORD,
    field,
  };
}

/** The set-user-id helper, which looks into /etc/subuid again: what we find out first, we can say better. */
function helperFor(sort: Sort, maps: readonly IdMapping[], facts: Facts): string {
  const { field, helper, ranges } = sorts[sort];
  const path = facts.ids?.[helper];
  const given = [...(facts.ids?.[ranges] ?? []), { first: facts[sort], count: 1 }];
  const stranger = maps.find((map) => !given.some((range) => contains(range, map.hostID, map.size)));
  if (stranger)
    throw new PlanError(
      `${field}: ids ${stranger.hostID} to ${stranger.hostID + stranger.size - 1} are not yours to map; ` +
        `/etc/sub${sort} gives you ${describe(facts.ids?.[ranges] ?? [])}. An administrator adds a range with: ` +
        `sudo usermod --add-sub${sort}s 100000-165535 NAME`,
    );
  if (path === undefined)
    throw new PlanError(
      `${field}: more than one's own id is mapped by ${helper}. Type: sudo apt-get install uidmap`,
    );
  return path;
}

const contains = ({ first, count }: IdRange, id: number, size: number) =>
  id >= first && id + size <= first + count;

const describe = (ranges: readonly IdRange[]) =>
  ranges.length === 0 ? 'none' : ranges.map((r) => `${r.first} to ${r.first + r.count - 1}`).join(', ');

function checkMap(maps: readonly IdMapping[], field: string): void {
  if (maps.length === 0)
    throw new PlanError(
      `${field}: a new user namespace needs a map; without one, every id in it is nobody's`,
    );
  if (maps.length > LINES_MAX)
    throw new PlanError(`${field}: ${maps.length} entries; the kernel takes ${LINES_MAX} at most`);
  for (const [i, { containerID, hostID, size }] of maps.entries()) {
    if (size === 0) throw new PlanError(`${field}[${i}].size: is 0; an entry maps at least one id`);
    if (containerID + size - 1 > ID_MAX || hostID + size - 1 > ID_MAX)
      throw new PlanError(`${field}[${i}]: goes beyond ${ID_MAX}, the last id there is`);
  }
  for (const side of ['containerID', 'hostID'] as const) checkOverlap(maps, field, side);
}

function checkOverlap(maps: readonly IdMapping[], field: string, side: 'containerID' | 'hostID'): void {
  const order = maps.map((map, i) => ({ i, first: map[side], end: map[side] + map.size }));
  order.sort((a, b) => a.first - b.first);
  for (const [n, { i, first }] of order.entries()) {
    const before = order[n - 1];
    if (before && before.end > first)
      throw new PlanError(`${field}[${i}].${side}: ${first} is in entry ${before.i} already`);
  }
}

/** A program can't become somebody whom its namespace doesn't know. */
function checkUser(spec: Spec, maps: Readonly<Record<Sort, readonly IdMapping[]>>): void {
  const user = spec.process?.user;
  if (!user) return;
  const wanted = [
    { field: 'process.user.uid', id: user.uid, sort: 'uid' },
    { field: 'process.user.gid', id: user.gid, sort: 'gid' },
    ...(user.additionalGids ?? []).map((id, i) => ({
      field: `process.user.additionalGids[${i}]`,
      id,
      sort: 'gid' as const,
    })),
  ] as const;
  const unknown = wanted.find(({ id, sort }) => !isMapped(maps[sort], id));
  if (unknown)
    throw new PlanError(
      `${unknown.field}: ${unknown.id} is not in ${sorts[unknown.sort].field}, so nobody inside can be that`,
    );
}

export const isMapped = (maps: readonly IdMapping[], id: number): boolean =>
  maps.some(({ containerID, size }) => id >= containerID && id < containerID + size);

/** As the kernel reads it; the whole map has to arrive in one write(2). */
export const mapText = (maps: readonly IdMapping[]): string =>
  maps.map((map) => `${map.containerID} ${map.hostID} ${map.size}\n`).join('');
