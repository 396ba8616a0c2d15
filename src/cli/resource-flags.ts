/** Docker's flags for limits, as `linux.resources`. */
import type { DeviceRule, Resources } from '../oci/spec.ts';
import { parseDeviceRule } from '../steps/cgroup/devices.ts';

export interface ResourceFlags {
  memory?: string;
  memorySwap?: string;
  memoryReservation?: string;
  cpus?: string;
  cpuShares?: string;
  cpuQuota?: string;
  cpuPeriod?: string;
  cpusetCpus?: string;
  cpusetMems?: string;
  pidsLimit?: string;
  blkioWeight?: string;
  deviceCgroupRule?: string[];
}

/** @throws Error naming the flag and what it takes. */
export function resourcesFrom(flags: ResourceFlags): Resources {
  if (flags.cpus !== undefined && flags.cpuQuota !== undefined)
    throw new Error('--cpus, --cpu-quota: the first is the second in other words; give one of them');
  return groups({
    memory: {
      limit: size('--memory', flags.memory),
      swap: size('--memory-swap', flags.memorySwap),
      reservation: size('--memory-reservation', flags.memoryReservation),
    },
    cpu: {
      ...cpuTime(flags),
      shares: whole('--cpu-shares', flags.cpuShares),
      cpus: flags.cpusetCpus,
      mems: flags.cpusetMems,
    },
    pids: { limit: pidsLimit(flags.pidsLimit) },
    blockIO: { weight: whole('--blkio-weight', flags.blkioWeight) },
  });
}

/**
 * The devices that a container may use: those that it has anyway, and what the flags add.
 *
 * @returns undefined where there is nothing to tell them to.
 */
export function deviceRules(flags: ResourceFlags, possible: boolean): DeviceRule[] | undefined {
  const added = (flags.deviceCgroupRule ?? []).map((text) => {
    const rule = parseDeviceRule(text);
    if (!rule) throw new Error(`--device-cgroup-rule ${text}: it takes a rule such as "c 10:200 rwm"`);
    return rule;
  });
  if (possible || added.length > 0) return [{ allow: false, access: 'rwm' }, ...added];
  return undefined;
}

const units = 'bkmgtp';

/** Bytes, with docker's units of 1024: `512m`, `1.5g`, `100kb`; -1 for no limit. */
export function size(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === '-1') return -1;
  const found = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])i?b?|b)?$/i.exec(text);
  if (!found) throw new Error(`${flag} ${text}: it takes a size such as 512m or 1.5g`);
  return Math.floor(Number(found[1]) * 1024 ** units.indexOf((found[2] ?? 'b').toLowerCase()));
}

function cpuTime({ cpus, cpuQuota, cpuPeriod }: ResourceFlags) {
  const period = whole('--cpu-period', cpuPeriod);
  if (cpus === undefined) return { quota: whole('--cpu-quota', cpuQuota), period };
  const count = Number(cpus);
  if (!(count > 0)) throw new Error(`--cpus ${cpus}: it takes a number such as 1.5`);
  return { quota: Math.round(count * (period ?? 100_000)), period: period ?? 100_000 };
}

/** Docker's 0 and -1 both mean no limit. */
function pidsLimit(text: string | undefined): number | undefined {
  const limit = whole('--pids-limit', text);
  return limit === 0 ? -1 : limit;
}

function whole(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^(-1|\d+)$/.test(text)) throw new Error(`${flag} ${text}: it takes a whole number`);
  return Number(text);
}

type Loose = { [K in keyof Resources]?: { [F in keyof Resources[K]]?: Resources[K][F] | undefined } };

/** Without what was not asked for. */
function groups(all: Loose): Resources {
  const asked = Object.entries(all).map(([group, fields]) => [
    group,
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  ]);
  return Object.fromEntries(asked.filter(([, fields]) => Object.keys(fields as object).length > 0));
}
