/** Whose a process is, and how its user namespace numbers that. Read from outside, in our numbers. */
import { readFileSync } from 'node:fs';
import type { Who } from './process.ts';

/** A line of uid_map or gid_map: so many ids from `inside` on are those from `outside` on, as we count. */
export interface MapLine {
  inside: number;
  outside: number;
  count: number;
}

/** proc_pid_uid_map(5). Empty as long as nobody has written it. */
export function idMap(who: Who, sort: 'uid' | 'gid'): MapLine[] {
  return readFileSync(`/proc/${who}/${sort}_map`, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([inside = 0, outside = 0, count = 0]) => ({ inside, outside, count }));
}

/** Our id, as that namespace numbers it; undefined for one that is nobody there. */
export function idInside(map: readonly MapLine[], id: number): number | undefined {
  const line = map.find(({ outside, count }) => id >= outside && id < outside + count);
  return line && line.inside + id - line.outside;
}

export interface Credentials {
  /** Effective ids, as we count. */
  uid: number;
  gid: number;
  /** Effective capabilities, a bit each (capabilities(7)). */
  capabilities: bigint;
}

/** proc_pid_status(5): real, effective, saved and file system id stand in a line. */
export function credentials(who: Who): Credentials {
  const text = readFileSync(`/proc/${who}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.split(/\s+/) ?? [];
  return {
    uid: Number(field('Uid')[1]),
    gid: Number(field('Gid')[1]),
    capabilities: BigInt(`0x${field('CapEff')[0] ?? 0}`),
  };
}
