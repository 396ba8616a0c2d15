/** Builds the launcher with the sanitizers, for the tests that run with it. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

export default function setup(): void {
  execFileSync('make', ['-s', '-C', resolve(import.meta.dirname, '../../native'), 'asan'], {
    stdio: 'inherit',
  });
}
