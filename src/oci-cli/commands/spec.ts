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
      const { resolve } = await import('node:path');
      const { writeFileSync } = await import('node:fs');
      const { defaultSpec } = await import('../../oci/default.ts');
      const { asOrdinaryUser } = await import('../../oci/rootless.ts');
      const plain = defaultSpec({ args: ['sh'], rootfs: 'rootfs' });
      const spec = flags.rootless ? asOrdinaryUser(plain) : plain;
      if (spec.process) spec.process.terminal = true;
      const file = resolve(flags.bundle, flags.file);
      try {
        writeFileSync(file, `${JSON.stringify(spec, undefined, 2)}\n`, { flag: 'wx' });
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        throw code === 'EEXIST'
          ? new Error(`${file}: there is one already; remove it first`)
          : new Error(message);
      }
    });
};
