/** The list of mounts that a process sees: proc_pid_mountinfo(5). */
import { readFileSync } from 'node:fs';
import type { Who } from './process.ts';

export interface MountEntry {
  /** major:minor of the file system. */
  device: string;
  /** Which directory of that file system is mounted… */
  root: string;
  /** …and where, as the process names it. */
  at: string;
  /** Of this mount: `ro`, `nosuid`, … */
  options: string[];
  /** `shared:1`, `master:2`, `unbindable`, … Empty for a private mount. */
  propagation: string[];
  type: string;
  source: string;
  /** Of the file system: `rw`, a v1 tree's controllers, … */
  superOptions: string[];
}

export function mountinfo(who: Who): MountEntry[] {
  return parseMountinfo(readFileSync(`/proc/${who}/mountinfo`, 'utf8'));
}

/** `id parent device root at options [tag…] - type source superoptions`; space and backslash come as octal escapes. */
export function parseMountinfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ').map(plain);
      const [, , device = '', root = '', at = '', options = ''] = fields;
      const dash = fields.indexOf('-', 6);
      const [type = '', source = '', superOptions = ''] = fields.slice(dash + 1);
      return {
        device,
        root,
        at,
        options: options.split(','),
        propagation: fields.slice(6, dash),
        type,
        source,
        superOptions: superOptions.split(','),
      };
    });
}

const plain = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
