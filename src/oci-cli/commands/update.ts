import type { Command } from 'commander';
import type { Resources } from '../../oci/spec.ts';

interface UpdateFlags {
  resources?: string;
  blkioWeight?: string;
  cpuPeriod?: string;
  cpuQuota?: string;
  cpuBurst?: string;
  cpuShare?: string;
  cpuRtPeriod?: string;
  cpuRtRuntime?: string;
  cpuIdle?: string;
  cpusetCpus?: string;
  cpusetMems?: string;
  memory?: string;
  memoryReservation?: string;
  memorySwap?: string;
  pidsLimit?: string;
}

export const declare = (program: Command): void => {
  program
    .command('update')
    .description("change a container's limits")
    .argument('<id>')
    .option('-r, --resources <file>', 'a resources object as JSON; - for standard input')
    .option('--blkio-weight <n>')
    .option('--cpu-period <us>')
    .option('--cpu-quota <us>')
    .option('--cpu-burst <us>')
    .option('--cpu-share <n>')
    .option('--cpu-rt-period <us>')
    .option('--cpu-rt-runtime <us>')
    .option('--cpu-idle <n>')
    .option('--cpuset-cpus <list>')
    .option('--cpuset-mems <list>')
    .option('--memory <bytes>')
    .option('--memory-reservation <bytes>')
    .option('--memory-swap <bytes>')
    .option('--pids-limit <n>')
    .action(async (id: string, flags: UpdateFlags) => {
      const { readFileSync } = await import('node:fs');
      const { updateLimits } = await import('../../runtime/lifecycle.ts');
      const file = flags.resources === '-' ? 0 : flags.resources;
      const change = file === undefined ? resourcesFrom(flags) : JSON.parse(readFileSync(file, 'utf8'));
      await updateLimits(id, change);
    });
};

/** One option a value, in the units of the config. @throws Error for what is no number. */
function resourcesFrom(flags: UpdateFlags): Resources {
  const number = (text: string) => {
    if (!/^-?\d+$/.test(text)) throw new Error(`update: ${JSON.stringify(text)} is not an integer`);
    return Number(text);
  };
  const pick = (named: Record<string, string | undefined>, as: (text: string) => unknown = number) =>
    Object.fromEntries(
      Object.entries(named).flatMap(([name, text]) => (text === undefined ? [] : [[name, as(text)]])),
    );
  const groups = {
    blockIO: pick({ weight: flags.blkioWeight }),
    cpu: {
      ...pick({
        period: flags.cpuPeriod,
        quota: flags.cpuQuota,
        burst: flags.cpuBurst,
        shares: flags.cpuShare,
        realtimePeriod: flags.cpuRtPeriod,
        realtimeRuntime: flags.cpuRtRuntime,
        idle: flags.cpuIdle,
      }),
      ...pick({ cpus: flags.cpusetCpus, mems: flags.cpusetMems }, (text) => text),
    },
    memory: pick({ limit: flags.memory, reservation: flags.memoryReservation, swap: flags.memorySwap }),
    pids: pick({ limit: flags.pidsLimit }),
  };
  return Object.fromEntries(Object.entries(groups).filter(([, group]) => Object.keys(group).length > 0));
}
