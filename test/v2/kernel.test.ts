/**
 * The kernel tests once more, on a machine whose cgroups are all in the v2 tree, so that both versions are proven
 * whatever this host has. Each test in there is one here.
 */
import { globSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.ts';
import { lack, type Report, runInMachine } from '../support/v2/boot.ts';

/**
 * Playing every lesson and marking a class take longer than all other tests together, engines want more of a machine, and
 * images ask nothing of cgroups; the host has them all.
 */
const notThere = /kernel\/(course\/(lessons|grading|course-folder)|image|oci\/(podman|containerd|systemd))/;
const files = globSync('test/kernel/**/*.test.ts', { cwd: packageRoot }).filter(
  (file) => !notThere.test(file),
);

const reason = lack();
const report: Report = reason ? { results: [], status: 0, console: '' } : await runInMachine(files, 1200);

describe.each(files)('%s', (file) => {
  for (const result of report.results.filter((one) => one.file === file))
    test(result.name, (ctx) => {
      ctx.skip(result.state === 'skipped', result.note);
      if (result.state === 'failed') throw new Error(`on the v2 machine: ${result.errors.join('\n')}`);
    });

  test('has run', (ctx) => {
    ctx.skip(reason !== undefined, reason);
    expect(
      report.results.some((one) => one.file === file),
      report.console,
    ).toBe(true);
  });
});

test('the machine ended well, and nothing was left in it', (ctx) => {
  ctx.skip(reason !== undefined, reason);
  expect(/the tests left \d+ thing[^⎯]*/.exec(report.console)?.[0]).toBe(undefined);
  const failed = report.results.some(({ state }) => state === 'failed');
  expect(report.status, report.console).toBe(failed ? 1 : 0);
});
