/** Both languages have to be the same lesson: the same scenes, sources, questions, headings, hints, in the same places. */
import type { LessonText, Part, SceneLine } from './lesson.ts';

/** Each difference as a sentence; none means that the texts agree. */
export function differences(one: LessonText, other: LessonText): string[] {
  return one.sections.flatMap((section, i) => {
    const parts = other.sections[i]?.parts ?? [];
    const where = `${section.title} / ${other.sections[i]?.title}`;
    const [mine, theirs] = [section.parts.map((part) => part.type), parts.map((part) => part.type)];
    if (mine.join() !== theirs.join())
      return [`${where}: parts are ${mine.join(', ')} here and ${theirs.join(', ')} there`];
    return section.parts.flatMap((part, j) => {
      const [a, b] = [essence(part), essence(parts[j] as Part)];
      return a === b ? [] : [`${where}, part ${j + 1} (${part.type}): ${firstDifference(a, b)}`];
    });
  });
}

/** What must not differ between languages. */
function essence(part: Part): string {
  if (part.type === 'markdown') return `headings of depth ${part.headings.join(' ')}`;
  if (part.type === 'question') {
    const right = part.options.findIndex((option) => option.right);
    return `${part.options.length} options, the right one is ${right + 1}`;
  }
  if (part.type === 'scene')
    return [
      `${part.name} ${part.fresh}${part.needs.map((need) => ` ${need}`).join('')} ${part.run ?? ''}`,
      ...part.lines.map(sceneLine),
    ].join('\n');
  if (part.type === 'hint') return `hint ${part.level}`;
  return part.type === 'source' ? part.name : part.type;
}

function sceneLine(line: SceneLine): string {
  if (line.type === 'say') return '#';
  const claims = line.claims.map(({ matches, pattern }) => `${matches ? '=>' : '=!'} ${pattern.source}`);
  return [`@${line.at}$ ${line.command}`, `=? ${line.status ?? '*'}`, ...claims].join('\n');
}

function firstDifference(one: string, other: string): string {
  const [a, b] = [one.split('\n'), other.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  return `"${a[at < 0 ? b.length : at] ?? 'nothing'}" here, "${b[at < 0 ? a.length : at] ?? 'nothing'}" there`;
}
