/** The systemd cgroup driver where systemd runs: on machines that boot with it, under cgroup v2 and with v1's hierarchies beside it. */
import { describe, expect, test } from 'vitest';
import { lack, type Report, runInMachine } from '../support/v2/boot.ts';

const file = 'test/kernel/oci/systemd.test.ts';

for (const layout of ['v2', 'hybrid'] as const) {
  const reason = lack(layout);
  const report: Report = reason
    ? { results: [], status: 0, console: '' }
    : await runInMachine([file], 120, layout);

  describe(`systemd, ${layout}`, () => {
    for (const result of report.results)
      test(result.name, (ctx) => {
        ctx.skip(result.state === 'skipped', result.note);
        if (result.state === 'failed') throw new Error(`on the machine: ${result.errors.join('\n')}`);
      });

    test('has run, and nothing was left', (ctx) => {
      ctx.skip(reason !== undefined, reason);
      expect(report.results.length, report.console).toBeGreaterThan(10);
      expect(/the tests left \d+ thing[^⎯]*/.exec(report.console)?.[0]).toBe(undefined);
      const failed = report.results.some(({ state }) => state === 'failed');
      expect(report.status, report.console).toBe(failed ? 1 : 0);
    });
  });
}
