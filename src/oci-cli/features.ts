/** features.md: what this runtime honours on this host, from the tables that it works with. */
import { probe } from '../facts/probe.ts';
import { refusedFields } from '../oci/fields.ts';
import { capabilities, flagSets } from '../plan/flags.ts';
import { cloneFlags } from '../steps/join.ts';
import { mountOptionWords } from '../steps/mount-options.ts';
import { archWords, type Machine } from '../steps/seccomp/abi.ts';
import { actionWords, operators } from '../steps/seccomp/rules.ts';

const HOOKS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

export function features() {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: '1.3.0',
    hooks: HOOKS,
    mountOptions: mountOptionWords(),
    linux: {
      namespaces: Object.keys(cloneFlags).sort(),
      capabilities: [...capabilities],
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: seccomp(),
      // Whether this runtime can, not whether this host does.
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: !('linux.intelRdt' in refusedFields) },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: { 'org.tslab.version': '0.1.0' },
  };
}

function seccomp() {
  const words = Object.keys(flagSets.seccomp).filter((word) => !word.endsWith('_ESRCH')); // set by ourselves
  return {
    enabled: (probe().seccomp?.length ?? 0) > 0,
    actions: actionWords,
    operators: operators.map((word) => `SCMP_CMP_${word}`),
    archs: archWords(process.arch as Machine),
    knownFlags: words,
    supportedFlags: words,
  };
}
