/** Inside the v2 machine: writes each test's result down as soon as it is known, for the tests outside. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** One test of the machine: a line of JSON in the directory that both sides see. */
export interface Result {
  /** Relative to the checkout. */
  file: string;
  /** With its suites: `suite > test`. */
  name: string;
  state: 'passed' | 'failed' | 'skipped';
  /** A skip's reason. */
  note?: string | undefined;
  /** A failure's messages and stacks. */
  errors: readonly string[];
}

export default class ResultReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'pending') return;
    const { relativeModuleId: file } = test.module;
    const note = result.state === 'skipped' ? result.note : undefined;
    write({ file, name: test.fullName, state: result.state, note, errors: told(result.errors) });
  }

  /** A file that can't be read has no tests that could fail. */
  onTestModuleEnd(module: TestModule): void {
    const errors = told(module.errors());
    if (errors.length > 0) write({ file: module.relativeModuleId, name: 'is read', state: 'failed', errors });
  }
}

const told = (errors: readonly { message: string; stack?: string | undefined }[] = []) =>
  errors.map(({ message, stack }) => stack ?? message);

function write(result: Result): void {
  appendFileSync(join(process.env.V2_DIR ?? '.', 'results'), `${JSON.stringify(result)}\n`);
}
