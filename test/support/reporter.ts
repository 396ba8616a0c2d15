/**
 * A skip is a hole in the proof, so it carries a reason, `ctx.skip(!isRoot, 'needs root')`, and with CI=true a test may
 * only be skipped when expected-skips.ts says so. Ends with one plain line of counts, for whoever reads the log.
 */
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { expectedSkips } from './expected-skips.ts';

export default class SkipReporter implements Reporter {
  #filtered = false;

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const wrong = this.#filtered ? [] : tests.flatMap(complaint);

    for (const line of wrong) console.error(`unexpected skip: ${line}`);
    if (wrong.length > 0) process.exitCode = 1;
    console.log(
      `tests: ${count('passed')} passed, ${count('failed') + wrong.length} failed, ${count('skipped')} skipped`,
    );
  }
}

function complaint(test: TestCase): string[] {
  const result = test.result();
  if (result.state !== 'skipped') return [];
  const name = `${test.module.relativeModuleId} > ${test.fullName}`;
  if (!result.note) return [`${name}: no reason given; write ctx.skip(condition, 'reason')`];
  const expected = expectedSkips.some((skip) => name.includes(skip.test) && result.note === skip.reason);
  if (process.env.CI !== 'true' || expected) return [];
  return [`${name}: ${result.note}; make it run here, or add it to test/support/expected-skips.ts`];
}
