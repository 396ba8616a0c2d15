/** The probe's lines as facts that can be compared: what differs from run to run by nature is taken out. */

/** Value by name. */
export type Seen = Record<string, string>;

/** Of /proc/self/status: counters, and numbers of processes. */
const accidental =
  /^status\.(Vm|Rss|State|Tgid|Pid|PPid|NS|Huge|SigQ|FDSize|voluntary|nonvoluntary|Ngid|Kthread)/;

export function seen(output: string): Seen {
  const facts: Seen = {};
  const mountPoints: string[] = [];
  for (const line of output.trimEnd().split('\n')) {
    const [, name = '', value = ''] = /^([^\t]*)\t?(.*)$/.exec(line) ?? [];
    if (accidental.test(name) || name.startsWith('ns.') || name === 'end') continue;
    if (name.startsWith('mountinfo')) mount(facts, mountPoints, value);
    else if (name.startsWith('cgroup[')) cgroup(facts, 'seen', value);
    else if (name.startsWith('limits.')) facts[name] = value.trim().replace(/\s+/g, ' ');
    else if (name.startsWith('net.') && name !== 'net.lo.flags')
      facts[`net.${name.slice(4).trim()}`] = 'there';
    else facts[name] = value.replaceAll(/tslab-peers-[A-Za-z0-9]{6}\b/g, 'BUNDLE');
  }
  return { ...facts, 'mounts, in order': mountPoints.join(' ') };
}

/** proc_pid_mountinfo(5): id parent device root point options tags… - type source superblock-options. */
function mount(facts: Seen, points: string[], line: string): void {
  const [left = '', right = ''] = line.split(' - ');
  const [, , , root = '', point = '', options, ...tags] = left.split(' ');
  const [type, source, superblock] = right.split(' ');
  const nth = points.filter((one) => one === point).length;
  const name = `mount ${point}${nth > 0 ? ` #${nth + 1}` : ''}`;
  points.push(point);
  const from = root.replace(/^.*tslab-peers-[A-Za-z0-9]{6}\b/, 'BUNDLE');
  facts[`${name} from`] = `${type} ${source} ${from}`;
  facts[`${name} options`] = `${options}`;
  facts[`${name} superblock`] = `${superblock}`.replaceAll(/tslab-peers-[A-Za-z0-9]{6}\b/g, 'BUNDLE');
  facts[`${name} propagation`] = tags.map((tag) => tag.replace(/:\d+/, '')).join(' ') || 'private';
}

/** cgroups(7), /proc/pid/cgroup: number, controllers, path. */
export function cgroup(facts: Seen, how: 'seen' | 'of', line: string): [controllers: string, path: string] {
  const [, controllers = '', path = ''] = line.split(':');
  facts[`cgroup ${how} ${controllers || 'v2'}`] = path;
  return [controllers, path];
}

export interface Contrast {
  fact: string;
  tslab: string | undefined;
  peer: string | undefined;
}

export function contrasts(tslab: Seen, peer: Seen): Contrast[] {
  const names = [...new Set([...Object.keys(tslab), ...Object.keys(peer)])];
  return names
    .filter((name) => tslab[name] !== peer[name])
    .map((fact) => ({ fact, tslab: tslab[fact], peer: peer[fact] }));
}
