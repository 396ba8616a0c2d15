/** The options in front of the command. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { inUserNamespace } from '../facts/userns.ts';
import { dataFolder, useStateFolder } from '../runtime/folders.ts';

export interface GlobalFlags {
  root?: string;
  log?: string;
  logFormat: string;
  logLevel?: string;
  rootless?: string;
  stages?: string;
  systemdCgroup?: boolean;
  cgroupManager?: string;
}

export const globalFlags = (program: Command): GlobalFlags => program.opts<GlobalFlags>();

/** What an option may be, so that a mistyped one is told and not passed over. */
const words: Partial<Record<keyof GlobalFlags, readonly string[]>> = {
  logFormat: ['text', 'json'],
  logLevel: ['error', 'warning', 'warn', 'info', 'debug', 'trace', 'fatal', 'panic'],
  cgroupManager: ['cgroupfs', 'systemd', 'disabled'],
  rootless: ['true', 'false', 'auto', '1', '0'],
};

/** @throws Error for what neither `list` nor `ps` prints. */
export function demandFormat(format: string): void {
  if (!['table', 'json'].includes(format)) throw new Error(`--format ${format}: it takes table or json`);
}

export function prepare(flags: GlobalFlags): void {
  for (const [name, takes] of Object.entries(words)) {
    const value = flags[name as keyof GlobalFlags];
    if (typeof value === 'string' && !takes.includes(value.toLowerCase()))
      throw new Error(
        `--${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)} ${value}: it takes one of ${takes.join(', ')}`,
      );
  }
  useStateFolder(flags.root ?? defaultRoot());
}

/** Engines say it with every command; it matters to those that make a container, and is remembered. */
export const wantsSystemd = ({ systemdCgroup, cgroupManager }: GlobalFlags): boolean =>
  systemdCgroup === true || cgroupManager === 'systemd';

function defaultRoot(): string {
  if (process.geteuid?.() === 0 && !inUserNamespace()) return '/run/tslab-oci';
  // Never a name in /tmp that anyone could take, as with tslab's own (runtime/folders.ts).
  return join(process.env.XDG_RUNTIME_DIR ?? dataFolder, 'tslab-oci');
}
