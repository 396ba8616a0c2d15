/** Errors: for whoever typed the command on standard error, for an engine as the last line of its log file. */
import { appendFileSync } from 'node:fs';
import type { GlobalFlags } from './global.ts';

export function logError(error: unknown, { log, logFormat }: Pick<GlobalFlags, 'log' | 'logFormat'>): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`tslab-oci: ${message}`);
  if (log === undefined) return;
  const time = new Date().toISOString();
  const line =
    logFormat === 'json'
      ? JSON.stringify({ msg: message, level: 'error', time })
      : `time=${JSON.stringify(time)} level=error msg=${JSON.stringify(message)}`;
  try {
    appendFileSync(log, `${line}\n`, { mode: 0o600 });
  } catch {
    // standard error has it
  }
}
