/** Judges facts: which facility is there, which lesson needs it, how to get it. */
import type { CgroupFacts, Facts } from './facts.ts';
import { isAtLeast } from './kernel.ts';

export interface Finding {
  ok: boolean;
  name: string;
  lesson: string;
  remedy: string;
}

export function examine(facts: Facts): Finding[] {
  const namespace = (type: string, lesson: string): Finding => ({
    ok: facts.namespaces.includes(type),
    name: `${type} namespaces`,
    lesson,
    remedy: `kernel ${facts.kernel} was built without them; take a distribution's standard kernel`,
  });
  // Lessons give an ordinary user a namespace of their own, with all capabilities that count in it.
  const own = facts.uid !== 0 && facts.namespaces.includes('user') && !facts.ids?.usernsForbiddenBy;
  const enough = own ? ['CAP_SYS_CHROOT', 'CAP_SYS_ADMIN'] : [];
  const capability = (name: string, lesson: string): Finding => ({
    ok: facts.capabilities.includes(name) || enough.includes(name),
    name,
    lesson,
    remedy: facts.uid === 0 ? 'this root was stripped of it: you are in a container or sandbox' : 'use sudo',
  });
  return [
    capability('CAP_SYS_CHROOT', '1 chroot'),
    capability('CAP_SYS_ADMIN', '2 mount'),
    capability('CAP_MKNOD', '2 mount'),
    {
      ok: isAtLeast(facts.kernel, 5, 12),
      name: 'mount_setattr (kernel 5.12)',
      lesson: '2 mount',
      remedy: `kernel ${facts.kernel} is older: volumes with options, read-only roots and id-mapped mounts need a newer one`,
    },
    namespace('mount', '2 mount'),
    namespace('pid', '3 pid'),
    namespace('uts', '4 uts'),
    namespace('ipc', '5 ipc'),
    namespace('network', '6 net'),
    {
      ok: facts.network?.ip !== undefined,
      name: 'ip (scenes and checks)',
      lesson: '6 net',
      remedy: 'type: sudo apt-get install iproute2',
    },
    {
      ok: facts.network?.nft !== undefined && facts.network.nftLack === undefined,
      name: 'nft (bridges and published ports)',
      lesson: '6 net',
      remedy: facts.network?.nftLack
        ? `kernel ${facts.kernel} lacks ${facts.network.nftLack}; take a distribution's standard kernel`
        : 'type: sudo apt-get install nftables',
    },
    namespace('user', '7 user, and every check'),
    ...ordinary(facts),
    namespace('time', '8 time'),
    {
      ok: facts.cgroup.layout !== 'none' && facts.cgroup.writable,
      name: `cgroups (${facts.cgroup.layout})`,
      lesson: '9 cgroup',
      remedy: 'mount them (systemd does), and use sudo or delegation to write there',
    },
    ...controllerFindings(facts.cgroup),
    capability('CAP_SYS_RESOURCE', '9 cgroup (raising a limit)'),
    {
      ok: (facts.seccomp ?? []).length > 0,
      name: `seccomp (${(facts.seccomp ?? []).join(' ') || 'none'})`,
      lesson: '12 harden',
      remedy: `kernel ${facts.kernel} was built without CONFIG_SECCOMP_FILTER; take a distribution's standard kernel`,
    },
    {
      ok: (facts.labels ?? []).length > 0,
      name: `AppArmor or SELinux (${(facts.labels ?? []).join(' ') || 'none'})`,
      lesson: '12 harden (labels only)',
      remedy: 'boot a kernel with security=apparmor or security=selinux',
    },
  ];
}

/** What root doesn't need. */
function ordinary({ uid, ids }: Facts): Finding[] {
  if (uid === 0 || !ids) return [];
  const ranges = Math.min(...[ids.subuids, ids.subgids].map((given) => given.length));
  return [
    {
      ok: ids.usernsForbiddenBy === undefined,
      name: 'user namespaces for ordinary users',
      lesson: '1 chroot, and all after it, without sudo',
      remedy: `an administrator may allow them: sudo sysctl ${ids.usernsForbiddenBy}`,
    },
    {
      ok: ids.newuidmap !== undefined && ids.newgidmap !== undefined,
      name: 'newuidmap, newgidmap',
      lesson: '7 user (more than one id)',
      remedy: 'type: sudo apt-get install uidmap',
    },
    {
      ok: ranges > 0,
      name: 'ranges in /etc/subuid, /etc/subgid',
      lesson: '7 user (more than one id)',
      remedy: 'type: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER',
    },
  ];
}

/** By v1's names, with the flag of `tslab run` or the command that each of them is for. */
const controllerUses: Readonly<Record<string, string>> = {
  cpu: '--cpus',
  cpuset: '--cpuset-cpus',
  memory: '--memory',
  pids: '--pids-limit',
  blkio: '--blkio-weight',
  devices: '--device-cgroup-rule',
  freezer: 'tslab pause',
};

function controllerFindings(facts: CgroupFacts): Finding[] {
  const v2Name = (name: string) => (name === 'blkio' ? 'io' : name);
  // The v2 tree freezes by itself, and decides about devices by BPF programs.
  const always = facts.unified === undefined ? [] : ['freezer', ...(facts.bpf ? ['devices'] : [])];
  return Object.entries(controllerUses).map(([name, use]) => ({
    ok:
      facts.controllers[name] !== undefined ||
      facts.unifiedControllers?.includes(v2Name(name)) === true ||
      always.includes(name),
    name: `cgroup controller ${name === v2Name(name) ? name : `${name} (v2: ${v2Name(name)})`}`,
    lesson: `9 cgroup (${use})`,
    remedy:
      facts.unified !== undefined && facts.base !== '/'
        ? 'it was not delegated to this user: systemctl edit user@.service, [Service], Delegate=yes'
        : 'the kernel has none, or was told cgroup_disable= on its command line',
  }));
}
