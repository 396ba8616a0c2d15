/** Where tslab itself lies: the folder of its package.json, from source and from the bundle alike. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const packageRoot = ((dir: string) => {
  while (!existsSync(join(dir, 'package.json'))) dir = dirname(dir);
  return dir;
})(import.meta.dirname);
