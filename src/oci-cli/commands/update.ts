import type { Command } from 'commander';
import type { Resources } from '../../oci/spec.ts';

/** An option for a value: its place in `linux.resources`, and how its text is read. */
const options = [
  ['--blkio-weight <n>', 'blockIO.weight', 'number'],
  ['--cpu-period <us>', 'cpu.period', 'number'],
  ['--cpu-quota <us>', 'cpu.quota', 'number'],
  ['--cpu-burst <us>', 'cpu.burst', 'number'],
  ['--cpu-share <n>', 'cpu.shares', 'number'],
  ['--cpu-rt-period <us>', 'cpu.realtimePeriod', 'number'],
  ['--cpu-rt-runtime <us>', 'cpu.realtimeRuntime', 'number'],
  ['--cpu-idle <n>', 'cpu.idle', 'number'],
  ['--cpuset-cpus <list>', 'cpu.cpus', 'text'],
  ['--cpuset-mems <list>', 'cpu.mems', 'text'],
  ['--memory <bytes>', 'memory.limit', 'size'],
  ['--memory-reservation <bytes>', 'memory.reservation', 'size'],
  ['--memory-swap <bytes>', 'memory.swap', 'size'],
  ['--pids-limit <n>', 'pids.limit', 'number'],
] as const;

/** What other runtimes know, and why it is not honoured here. */
const refused = [
  ['--kernel-memory <bytes>', 'the kernel has done away with this limit (Linux 5.16)'],
  ['--kernel-memory-tcp <bytes>', 'the kernel has done away with this limit'],
  ['--l3-cache-schema <schema>', 'linux.intelRdt is not built'],
  ['--mem-bw-schema <schema>', 'linux.intelRdt is not built'],
] as const;

export const declare = (program: Command): void => {
  const command = program
    .command('update')
    .description("change a container's limits")
    .argument('<id>')
    .option('-r, --resources <file>', 'a resources object as JSON; - for standard input');
  for (const [flag, place] of options) command.option(flag, `linux.resources.${place}`);
  for (const [flag, why] of refused) command.option(flag, `refused: ${why}`);
  command.action(async (id: string, flags: Record<string, string>) => {
    for (const [flag, why] of refused)
      if (flags[keyOf(flag)] !== undefined) throw new Error(`${nameOf(flag)}: ${why}`);
    const { readFileSync } = await import('node:fs');
    const { updateLimits } = await import('../../runtime/lifecycle.ts');
    const file = flags.resources === '-' ? 0 : flags.resources;
    const change: Loose = file === undefined ? {} : parsed(readFileSync(file, 'utf8'), flags.resources);
    for (const [flag, place, kind] of options) {
      const text = flags[keyOf(flag)];
      const [group = '', field = ''] = place.split('.');
      if (text !== undefined) change[group] = { ...change[group], [field]: read[kind](text, nameOf(flag)) };
    }
    await updateLimits(id, change as Resources);
  });
};

type Loose = Record<string, Record<string, unknown>>;

const nameOf = (flag: string) => flag.split(' ')[0] ?? '';
const keyOf = (flag: string) =>
  nameOf(flag)
    .slice(2)
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const read = {
  text: (text: string) => text,
  number: (text: string, flag: string) => {
    if (!/^-?\d+$/.test(text)) throw new Error(`update: ${flag}: ${JSON.stringify(text)} is not an integer`);
    return Number(text);
  },
  /** Bytes, or with a unit of 1024, such as 64m; -1 for no limit. */
  size: (text: string, flag: string) => {
    const found = /^(-1|\d+)([kmgt]?)(?:i?b)?$/i.exec(text);
    if (!found)
      throw new Error(`update: ${flag}: ${JSON.stringify(text)} is not an integer, nor a size such as 64m`);
    return Number(found[1]) * 1024 ** ' kmgt'.indexOf((found[2] || ' ').toLowerCase());
  },
};

function parsed(text: string, from: string | undefined): Loose {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`--resources ${from}: ${(error as Error).message}`);
  }
}
