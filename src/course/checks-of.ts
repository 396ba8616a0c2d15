/** A lesson's checks. */
import { lessons } from '../../lessons/index.ts';
import type { CatalogLesson } from './catalog.ts';
import type { Check } from './check.ts';

export async function checksOf(lesson: CatalogLesson): Promise<readonly Check[]> {
  const { checks } = lessons.find(({ id }) => id === lesson.id) ?? {};
  if (!checks) throw new Error(`lesson ${lesson.id} has no checks yet`);
  return (await checks()).checks;
}
