/** A lesson's checks, and those that an instructor adds. */
import { lessons } from '../../lessons/index.ts';
import type { CatalogLesson } from './catalog.ts';
import type { Check } from './check.ts';
import { furtherChecks } from './course-folder.ts';

export async function checksOf(lesson: CatalogLesson): Promise<readonly Check[]> {
  const own = await lessons.find(({ id }) => id === lesson.id)?.checks();
  const checks = [...(own?.checks ?? []), ...furtherChecks(lesson.folderName)];
  if (checks.length === 0) throw new Error(`lesson ${lesson.id} has no checks yet`);
  return checks;
}
