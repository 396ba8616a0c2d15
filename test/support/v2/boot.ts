/** Boots the v2 machine to run kernel tests there; the script `machine` beside this says what it is. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../../src/package-root.ts';
import type { Result } from './report.ts';

export interface Report {
  /** What ended, in the order in which it did. */
  results: Result[];
  /** Of the inner test run; 125 when the machine ended before it. */
  status: number | NodeJS.Signals;
  /** What the machine's console showed. */
  console: string;
}

/** With which cgroups systemd runs there, if it does. */
export type Systemd = 'v2' | 'hybrid' | 'v1';

const needed = ['linux.uml', 'busybox', 'cc', 'unshare', 'taskset', 'setpriv'];
const systemdNeeds = ['/lib/systemd/systemd', 'dbus-daemon', 'busctl'];

/** Why there is no such machine here, if so. */
export function lack(systemd?: Systemd): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = [...needed, ...(systemd ? systemdNeeds : [])].filter(
    (name) => spawnSync('which', [name]).status !== 0,
  );
  return missing.length > 0 ? `no ${missing.join(', ')} on this host` : undefined;
}

/** @param files relative to the checkout. @param timeout in seconds: then the machine is switched off. */
export async function runInMachine(
  files: readonly string[],
  timeout: number,
  systemd?: Systemd,
): Promise<Report> {
  const dir = mkdtempSync(join(tmpdir(), 'tslab-v2-'));
  try {
    const vitest = ['dist/node', 'node_modules/vitest/vitest.mjs', 'run', '--project', 'kernel'];
    const reporters = ['--reporter', './test/support/v2/report.ts', '--reporter', 'verbose', '--no-color'];
    const machine = [join(import.meta.dirname, 'machine'), ...(systemd ? [`--systemd=${systemd}`] : [])];
    const words = [...machine, ...vitest, ...reporters, ...files];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...words], {
      cwd: packageRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, V2_DIR: dir },
      timeout: timeout * 1000,
      killSignal: 'SIGKILL',
    });
    const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once('error', reject).once('close', (code, signal) => resolve(code ?? signal ?? 125));
    });
    const [status, console] = await Promise.all([ended, text(child.stdout)]);
    return { results: resultsIn(join(dir, 'results')), status, console };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function resultsIn(file: string): Result[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}
