/** The flags of `tslab run` and `tslab plan`, docker's names. Registered at every start, so nothing heavy is imported here. */
import type { Command } from 'commander';
import type { MountFlags } from './mount-flags.ts';
import type { ResourceFlags } from './resource-flags.ts';

export interface SpecFlags extends MountFlags, ResourceFlags {
  interactive?: boolean;
  tty?: boolean;
  name?: string;
  rootfs?: string;
  lesson?: string;
  hostname?: string;
  domainname?: string;
  env?: string[];
  workdir?: string;
  user?: string;
  groupAdd?: string[];
  readOnly?: boolean;
  init?: boolean;
  userns?: string;
  monotonic?: string;
  boottime?: string;
  network?: string;
  publish?: string[];
  capAdd?: string[];
  capDrop?: string[];
  securityOpt?: string[];
  privileged?: boolean;
  entrypoint?: string;
  pull?: string;
}

/** For an option that may be given several times. */
export const collect = (value: string, before: string[] = []) => [...before, value];

/** Limits; `tslab update` takes them as well. */
export function addResourceFlags(command: Command): Command {
  return command
    .option('-m, --memory <size>', 'most memory, such as 512m (-1: no limit)')
    .option('--memory-swap <size>', 'most memory and swap together (-1: no limit)')
    .option('--memory-reservation <size>', 'memory that it keeps when the host runs short')
    .option('--cpus <number>', 'CPU time, such as 1.5 CPUs')
    .option('-c, --cpu-shares <weight>', 'its share of busy CPUs, against 1024 of others')
    .option('--cpu-quota <us>', 'CPU time in each period, in microseconds (-1: no limit)')
    .option('--cpu-period <us>', 'that period')
    .option('--cpuset-cpus <list>', 'the CPUs it runs on, such as 0-2,4')
    .option('--cpuset-mems <list>', 'the memory nodes it uses')
    .option('--pids-limit <number>', 'most processes and threads (-1: no limit)')
    .option('--blkio-weight <weight>', 'its share of busy disks, 10 to 1000');
}

export function addSpecFlags(command: Command): Command {
  return addResourceFlags(command)
    .argument('<words...>', 'IMAGE [COMMAND…]; after a --, or with --rootfs or --lesson: COMMAND…')
    .passThroughOptions()
    .option('-i, --interactive', 'keep standard input open')
    .option('-t, --tty', 'give it a terminal')
    .option('--name <name>', 'its name')
    .option('--entrypoint <program>', "instead of the image's own; '' for none")
    .option('--pull <when>', 'fetch the image: missing, always or never', 'missing')
    .option('--rootfs <dir>', 'the directory that becomes its / (default: a private copy of the busybox one)')
    .option('--lesson <lesson>', 'the runtime as built up to this lesson, by number or id')
    .option('--hostname <name>', 'its host name')
    .option('--domainname <name>', 'its NIS domain name')
    .option('-e, --env <name=value>', 'set a variable', collect)
    .option('-w, --workdir <dir>', 'working directory inside')
    .option('-u, --user <user[:group]>', 'run as this user: a number, in an image also a name')
    .option('--group-add <gid>', 'and as a member of this group, by number', collect)
    .option(
      '-v, --volume <source:target[:options]>',
      'show a path of the host, or a named volume, inside',
      collect,
    )
    .option('--tmpfs <path[:options]>', 'an empty file system in memory', collect)
    .option('--device <device[:path]>', 'give it a device of the host', collect)
    .option('--read-only', 'the root file system is read-only')
    .option('--init', 'a small init as PID 1, which reaps and forwards signals')
    .option('--userns <mode>', 'whose ids: host, auto or keep-id (default: host for root, auto for others)')
    .option('--monotonic <seconds>', 'a monotonic clock so far from the host’s, in a time namespace')
    .option('--boottime <seconds>', 'the same for the clock that uptime shows')
    .option(
      '--network <mode>',
      'none, bridge, host or container:NAME (default: none; with --publish, bridge)',
    )
    .option('-p, --publish <[ip:]port:port>', 'a port of the host that leads to one inside', collect)
    .option('--cap-add <name>', 'leave it this capability, or ALL', collect)
    .option('--cap-drop <name>', 'take this capability from it, or ALL', collect)
    .option(
      '--security-opt <option>',
      'seccomp=unconfined|FILE, no-new-privileges[=false], apparmor=PROFILE',
      collect,
    )
    .option('--privileged', 'all capabilities that you have, no filter, nothing masked')
    .option('--device-cgroup-rule <rule>', 'allow more devices, such as "c 10:200 rwm"', collect);
}
