/** The two names of a UTS namespace (uts_namespaces(7)). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { programPath } from '../facts/programs.ts';
import type { Who } from './process.ts';

export interface Names {
  hostname: string;
  domainname: string;
}

const files = ['/proc/sys/kernel/hostname', '/proc/sys/kernel/domainname'] as const;

/**
 * No file in /proc says what another process's names are: these two answer whoever reads them. So a program of the
 * host's goes into that namespace, and into no other, and reads them there.
 *
 * @returns undefined where the host has no nsenter(1). @throws Error once the process is gone.
 */
export function names(who: Who): Names | undefined {
  if (who === 'self') return { hostname: read(files[0]), domainname: read(files[1]) };
  const nsenter = programPath('nsenter');
  if (!nsenter) return undefined;
  const cat = (file: string) =>
    execFileSync(nsenter, [`--target=${who}`, '--uts', '--', 'cat', file], { encoding: 'utf8' }).trimEnd();
  return { hostname: cat(files[0]), domainname: cat(files[1]) };
}

const read = (file: string) => readFileSync(file, 'utf8').trimEnd();
