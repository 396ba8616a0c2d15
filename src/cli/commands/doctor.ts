/** tslab doctor: what this host offers, which lesson needs it, and how to get it. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('doctor')
    .description('what this machine can do, and which lesson each lack costs')
    .action(async () => {
      const { examine } = await import('../../facts/examine.ts');
      const { probe } = await import('../../facts/probe.ts');
      const findings = examine(probe());
      for (const { ok, name, lesson, remedy } of findings)
        console.log(
          `${ok ? 'yes' : 'no '}  ${name.padEnd(34)} lesson ${lesson}${ok ? '' : `\n     ${remedy}`}`,
        );
      process.exitCode = findings.every(({ ok }) => ok) ? 0 : 1;
    });
};
