/** Where this host has a program. */
import { accessSync, constants } from 'node:fs';

/** Fixed, not PATH: these run with the asker's rights, and under sudo PATH may be somebody else's. */
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin'];

/** Absolute path, or undefined. */
export function programPath(name: string): string | undefined {
  return folders
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
