/** What a process has of its own and what it shares with us, read from /proc: evidence, never the plan. */
import { existsSync, readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import os from 'node:os';
import { timeOffsets } from '../evidence/clocks.ts';
import { credentials, idInside, idMap } from '../evidence/ids.ts';
import { names } from '../evidence/names.ts';
import { type Privileges, privileges } from '../evidence/privileges.ts';
import type { Text } from './check.ts';

export interface Row {
  what: Text;
  own: boolean;
  /** In place of "its own" and "the host's". */
  whose?: Text;
  /** The same fact on both sides. */
  inside: Text;
  outside: Text;
}

/** In the order of the lessons that change them. */
export function isolation(pid: number): Row[] {
  return [
    {
      what: { en: 'root directory', zh: '根目录' },
      own: inode(`/proc/${pid}/root/`) !== inode('/'),
      inside: both(`inode ${inode(`/proc/${pid}/root/`)}`),
      outside: both(`inode ${inode('/')}`),
    },
    namespace(pid, 'mnt', { en: 'mounts', zh: '挂载' }, mounts),
    {
      what: { en: 'file system of /', zh: '/ 的文件系统' },
      own: fileSystem(pid) === OVERLAY,
      inside: both(fileSystems.get(fileSystem(pid)) ?? '–'),
      outside: both(fileSystems.get(fileSystem('self')) ?? '–'),
    },
    namespace(pid, 'pid', { en: 'process numbers', zh: '进程号' }, number),
    namespace(pid, 'uts', { en: 'host name', zh: '主机名' }, hostname),
    namespace(pid, 'ipc', { en: 'IPC objects', zh: 'IPC 对象' }),
    namespace(pid, 'net', { en: 'network', zh: '网络' }, links),
    namespace(pid, 'user', { en: 'users', zh: '用户' }, owner),
    namespace(pid, 'time', { en: 'clocks', zh: '时钟' }, uptime),
    {
      what: { en: 'limits (cgroup)', zh: '资源限制（cgroup）' },
      own: cgroup(pid) !== cgroup('self'),
      inside: both(cgroup(pid)),
      outside: both(cgroup('self')),
    },
    namespace(pid, 'cgroup', { en: 'view of cgroups', zh: 'cgroup 视图' }),
    ...restrictions(pid),
  ];
}

/** Nothing of its own, but less of what all share. */
function restrictions(pid: number): Row[] {
  const [inside, outside] = [privileges(pid), privileges('self')];
  const filters = ({ seccomp, filters = seccomp === 2 ? 1 : 0 }: Privileges) => filters;
  const capabilities = ({ sets }: Privileges): Text => ({
    en: `${sets.bounding.length} capabilities`,
    zh: `${sets.bounding.length} 项能力`,
  });
  const judged = (of: Privileges): Text => ({
    en: `${filters(of) || 'no'} filter${filters(of) === 1 ? '' : 's'}`,
    zh: filters(of) ? `${filters(of)} 个过滤器` : '没有过滤器',
  });
  return [
    {
      what: { en: 'root’s powers', zh: 'root 的权力' },
      own: inside.sets.bounding.length < outside.sets.bounding.length,
      whose: less(inside.sets.bounding.length < outside.sets.bounding.length),
      inside: capabilities(inside),
      outside: capabilities(outside),
    },
    {
      what: { en: 'system calls', zh: '系统调用' },
      own: filters(inside) > filters(outside),
      whose: less(filters(inside) > filters(outside)),
      inside: judged(inside),
      outside: judged(outside),
    },
  ];
}

const less = (is: boolean): Text =>
  is ? { en: 'fewer', zh: '更少' } : { en: 'as outside', zh: '与外面一样' };

type Who = number | 'self';

/** An overlay is made for one container; every other kind is a part of what the host has mounted. */
const OVERLAY = 0x794c7630;
/** statfs(2). */
const fileSystems: ReadonlyMap<number, string> = new Map([
  [OVERLAY, 'overlay'],
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x6969, 'nfs'],
]);
const fileSystem = (who: Who): number => statfsSync(`/proc/${who}/root/`).type;

/** namespaces(7): the same inode number means the same namespace; a type that the kernel was built without is everyone's. */
function namespace(pid: number, type: string, what: Text, fact?: (who: Who, pid: number) => Text): Row {
  if (!existsSync(`/proc/self/ns/${type}`))
    return { what, own: false, inside: both('–'), outside: { en: 'not in this kernel', zh: '此内核不支持' } };
  const inode = (who: Who) => /\d+/.exec(readlinkSync(`/proc/${who}/ns/${type}`))?.[0] ?? '';
  const own = inode(pid) !== inode('self');
  const show = (who: Who) => fact?.(who, pid) ?? both(`${type}:[${inode(who)}]`);
  return { what, own, inside: show(pid), outside: show('self') };
}

const both = (text: string): Text => ({ en: text, zh: text });

function mounts(who: Who): Text {
  const count = readFileSync(`/proc/${who}/mountinfo`, 'utf8').trimEnd().split('\n').length;
  return { en: `${count} mount${count === 1 ? '' : 's'}`, zh: `${count} 个挂载` };
}

/** The same process by its number on each side: NSpid goes from our level to its own (proc_pid_status(5)). */
function number(who: Who, pid: number): Text {
  const numbers =
    /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? [];
  return both(`PID ${who === 'self' ? numbers[0] : numbers.at(-1)}`);
}

/** The same process's user id on each side: status says it as we count, the map how it counts itself. */
function owner(who: Who, pid: number): Text {
  const { uid } = credentials(pid);
  return both(`uid ${who === 'self' ? uid : (idInside(idMap(pid, 'uid'), uid) ?? '–')}`);
}

/** What uptime(1) would say: /proc/uptime is by the clock of whoever reads it, so the offset is added here. */
function uptime(who: Who): Text {
  const ours = timeOffsets('self')?.boottime.secs ?? 0;
  const hours = Math.floor((os.uptime() + (timeOffsets(who)?.boottime.secs ?? 0) - ours) / 3600);
  const [days, rest] = [Math.floor(hours / 24), hours % 24];
  return { en: `up ${days} d ${rest} h`, zh: `已运行 ${days} 天 ${rest} 小时` };
}
const hostname = (who: Who): Text => both(names(who)?.hostname ?? '–');

/** Two lines of heading, then a link each. */
function links(who: Who): Text {
  const names = readFileSync(`/proc/${who}/net/dev`, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => line.split(':')[0]?.trim());
  return names.length > 2
    ? { en: `${names.length} links`, zh: `${names.length} 个网络接口` }
    : both(names.join(', ') || '–');
}

/** The deepest of the paths, on v1 there is one a controller (proc_pid_cgroup(5)). */
function cgroup(who: Who): string {
  const paths = readFileSync(`/proc/${who}/cgroup`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(':').slice(2).join(':'));
  return paths.sort((a, b) => b.length - a.length)[0] ?? '/';
}

const inode = (path: string): string => {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
};
