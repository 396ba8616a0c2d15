import { expect, test } from 'vitest';
import { type LessonText, parseLesson } from '../../src/course/lesson.ts';
import { differences } from '../../src/course/same-texts.ts';

test('texts that differ in words only are the same lesson', () => {
  expect(differences(lesson(), lesson('Look at it.', 'Sieh hin.'))).toEqual([]);
  expect(differences(lesson(), lesson('# narration', '# 旁白'))).toEqual([]);
});

test.each([
  ['a command', 'echo a', 'echo b', /"@host\$ echo a" here, "@host\$ echo b" there/],
  ['a claim', '=> a', '=> b', /"=> a" here, "=> b" there/],
  ['a claim more', '=> a', '=> a\n=> b', /"nothing" here, "=> b" there/],
  ['a status', '=? 1', '=? 2', /"=\? 1" here/],
  ['a name of a scene', 'scene first', 'scene second', /"first false " here/],
  ['flags', 'scene first', 'scene first fresh run="-t"', /first true -t" there/],
  ['the right answer', '- (x) a\n- ( ) b', '- ( ) a\n- (x) b', /the right one is 1" here, .* is 2" there/],
  ['an option more', '- ( ) b', '- ( ) b\n- ( ) c', /2 options.*3 options/],
  ['a heading', '### A', '#### A', /headings of depth 3" here, "headings of depth 4" there/],
  ['a block more', '## Why', '## Why\n\n```sofar\n```', /parts are .* here and sofar there/],
])('they are not when they differ in %s', (_, from, to, message) => {
  expect(differences(lesson(), lesson(from, to)).join('\n')).toMatch(message);
});

function lesson(from = '', to = ''): LessonText {
  const changed = text.replace(from, () => to);
  if (from && changed === text) throw new Error(`"${from}" is not in the text`);
  return parseLesson(changed, 'lesson.md', 'en', () => '');
}

const text = `# T

## Predict

\`\`\`question
Q?
- (x) a
- ( ) b
> E.
\`\`\`

## See

### A

Look at it.

\`\`\`scene first
# narration
@host$ echo a
=> a
=? 1
\`\`\`

## Why

## Break

## Build

## Check

## So far
`;
