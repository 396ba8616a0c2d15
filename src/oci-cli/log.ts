/** What goes wrong: for whoever typed the command on standard error, for an engine as a line of its log file. */
import { appendFileSync } from 'node:fs';

interface LogFlags {
  log?: string;
  logFormat: string;
}

let where: LogFlags = { logFormat: 'text' };

/** Said once, before anything can go wrong. */
export function useLog(flags: LogFlags): void {
  where = flags;
}

export function logError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`tslab-oci: ${message}`);
  append('error', message);
}

/** With a log file not on standard error: that may be the container's own. */
export function logWarning(message: string): void {
  if (where.log === undefined || !append('warning', message)) console.error(`tslab-oci: warning: ${message}`);
}

/** Whether it could. */
function append(level: string, message: string): boolean {
  const { log, logFormat } = where;
  if (log === undefined) return false;
  const time = new Date().toISOString();
  const line =
    logFormat === 'json'
      ? JSON.stringify({ msg: message, level, time })
      : `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}`;
  try {
    appendFileSync(log, `${line}\n`, { mode: 0o600 });
    return true;
  } catch {
    return false; // standard error has it
  }
}
