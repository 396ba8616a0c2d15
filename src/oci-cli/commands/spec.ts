import type { Command } from 'commander';

interface SpecFlags {
  bundle: string;
  rootless?: boolean;
  file: string;
}

export const declare = (program: Command): void => {
  program
    .command('spec')
    .description('write a config.json to begin with')
    .option('-b, --bundle <dir>', 'where', '.')
    .option('-f, --file <name>', 'its name', 'config.json')
    .option('--rootless', 'for an ordinary user')
    .action(async (flags: SpecFlags) => {
      const { join } = await import('node:path');
      const { writeFileSync } = await import('node:fs');
      const { defaultSpec } = await import('../../oci/default.ts');
      const spec = defaultSpec({ args: ['sh'], rootfs: 'rootfs' });
      if (spec.process) spec.process.terminal = true;
      const text = `${JSON.stringify(spec, undefined, 2)}\n`;
      writeFileSync(join(flags.bundle, flags.file), text, { flag: 'wx' });
    });
};
