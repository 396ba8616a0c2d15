/** A container that did not come to life: which step, which call, which error, and what it usually means. */
import { getSystemErrorMap, stripVTControlCharacters } from 'node:util';
import { explainCall, explainOrigin } from '../plan/explain.ts';
import type { Plan, Step } from '../plan/step.ts';

const hints: Readonly<Record<string, string>> = {
  EPERM: 'the asking user lacks the privilege: try sudo, or see tslab doctor',
  EACCES: 'a permission bit, a noexec mount or a security module forbids it',
  ENOENT: 'a part of the path does not exist, as seen from where this step runs',
  ENXIO: 'it is not the device that it was said to be',
  EEXIST: 'something else has that name already',
  ENOTDIR:
    'a file or a symbolic link is where a directory has to be; a root file system whose /proc, /sys or /dev is a link is refused',
  ENOEXEC: 'the file is neither a program for this machine nor a script that begins with #!',
  EINVAL:
    'the kernel knows no such combination here: often a missing kernel feature or a path that is no mount point',
  ENOSPC: 'a limit is reached: for clone3 see /proc/sys/user/max_*_namespaces; a cpuset needs its CPUs first',
  ENODEV: 'there is no such file system in this kernel, or no such device',
  EBUSY: 'something uses it already',
  ECANCELED: 'a program of the host could not do its part; how it ended and what it said stands above',
  ETIMEDOUT: 'it took longer than it should ever take; the host may be overloaded',
  ESRCH: 'the process is gone: killed from outside, or born into a memory limit too small for it',
  EOPNOTSUPP: 'a cgroup below a threaded one takes threads only (cgroups(7), "Thread mode")',
  EOVERFLOW:
    'who does this has no id in its user namespace: a map is missing, or it has not become one of its ids yet',
  ENOSYS: 'this kernel is too old for the call',
};

/** Of rtnetlink(7). */
const netlinkHints: Readonly<Record<string, string>> = {
  ENODEV: 'there is no such link in the network of the hand that asks',
  ENETUNREACH:
    'a gateway has to be a neighbour: an address of its network comes first, and a link that is up',
  EOPNOTSUPP: 'this kernel makes no links of that kind: see tslab doctor',
};

export class StartError extends Error {
  override readonly name = 'StartError';
  readonly step: Step;
  readonly call: string;
  readonly errno: string;
  /** As a shell would say it: 127 no such program, 126 not executable, 125 anything else. */
  readonly exitCode: number;

  /** @param said the bytes of the launcher's `said` events, one character each. */
  constructor(plan: Plan, index: number, errno: number, said = '') {
    const step = plan.steps[index];
    if (!step) throw new Error(`launcher: it speaks of step ${index}, but the plan has ${plan.steps.length}`);
    const [name, text] = getSystemErrorMap().get(-errno) ?? [String(errno), 'unknown error'];
    const call = explainCall(step);
    const hint = stepHint(step, name, said) ?? hints[name];
    super(
      `step ${index + 1} of ${plan.steps.length}, ${call}: ${name} (${text}), asked for by ${explainOrigin(step)}` +
        (step.kind === 'spawn' ? whatItSaid(said) : '') +
        (hint === undefined ? '' : `\n  usually: ${hint}`),
    );
    this.step = step;
    this.call = call;
    this.errno = name;
    this.exitCode = step.kind !== 'exec' ? 125 : name === 'ENOENT' ? 127 : 126;
  }
}

/** What a program wrote may hold what would steer the reader's terminal. */
function whatItSaid(said: string): string {
  const text = Buffer.from(said.replace(/\0+$/, ''), 'latin1').toString();
  const lines = text.split('\n').map((line) =>
    stripVTControlCharacters(line)
      .replace(/\p{Cc}/gu, ' ')
      .trimEnd(),
  );
  return lines
    .filter((line) => line !== '')
    .map((line) => `\n  | ${line}`)
    .join('');
}

/** user_namespaces(7), "Defining user and group ID mappings". */
const idMapHints: Readonly<Record<string, string>> = {
  EPERM:
    'this map is written already (the host’s is, too: is the process in a new user namespace?), or it takes ids that are not the writer’s to give',
  EINVAL: 'a line is `inside outside count`, ended by a newline, and no two lines overlap',
};

/** capabilities(7), capset(2), seccomp(2): each of them comes too late or too early. */
const privilegeHints: Readonly<Record<string, string>> = {
  'capbset EPERM': 'it takes CAP_SETPCAP: before the user changes, and before capset (capabilities(7))',
  'capset EPERM':
    'the permitted set never grows: setuid has emptied it (PR_SET_KEEPCAPS comes before), or a name is missing in the bounding set',
  'capambient EPERM': 'what is raised has to be permitted and inheritable by then: capset comes before',
  'seccomp EACCES': 'a filter takes no_new_privs, set before it, or CAP_SYS_ADMIN (seccomp(2))',
};

function stepHint(step: Step, errno: string, said: string): string | undefined {
  if (step.kind === 'netlink') return netlinkHints[errno];
  if (step.kind === 'spawn' && /File exists[\s\S]*add element/.test(said))
    return 'that port of the host leads into another container already: see tslab ps';
  if (step.kind === 'spawn' && errno === 'ENOENT')
    return `there is no ${step.path} on this host: see tslab doctor for the package that has it`;
  if (step.kind === 'write' && errno === 'EBUSY' && step.path.endsWith('/cgroup.subtree_control'))
    return 'a cgroup that holds processes itself hands out no controllers (cgroups(7), "no internal processes")';
  if ((step.kind === 'setuid' || step.kind === 'setgid') && errno === 'EINVAL')
    return 'no line of the user namespace’s map has that id: the map is missing, or another one (cat /proc/<pid>/uid_map)';
  if (step.kind === 'write' && /^[ug]id_map$/.test(step.path)) return idMapHints[errno];
  if (step.kind === 'write' && errno === 'EPERM' && step.path.endsWith('/timens_offsets'))
    return 'the namespace that its children will get is not its own: make one first (time_namespaces(7))';
  if (step.kind === 'write' && errno === 'EACCES' && step.path.endsWith('/timens_offsets'))
    return 'somebody is in that time namespace already, and then its clocks stand (time_namespaces(7))';
  if (step.kind === 'clone' && step.cgroup !== undefined && errno === 'EACCES')
    return 'from a login session a user can’t enter the cgroups of their own systemd: put systemd-run --user --scope before the command';
  if (step.kind === 'schedattr' && errno === 'EPERM')
    return 'it takes CAP_SYS_NICE; where cgroups have a real-time budget, set linux.resources.cpu.realtimeRuntime';
  if (step.kind !== 'exec' || errno !== 'ENOENT') return privilegeHints[`${step.kind} ${errno}`];
  return `there is no ${step.argv[0]} in the container, or its interpreter or dynamic loader is missing there`;
}
