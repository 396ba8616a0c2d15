import { describe, expect, test } from 'vitest';
import { parseScene } from '../../src/course/blocks.ts';
import { type LessonText, parseLesson, partsOf } from '../../src/course/lesson.ts';

const stage = 'const a = 1;\n  // #region heart\n  if (a) {\n    b();\n  }\n  // #endregion\n';

test('sections, Markdown and blocks come in order, with their lines', () => {
  const lesson = parse();
  expect(lesson.title).toBe('The first process');
  expect(lesson.sections.map((section) => section.kind)).toEqual([
    'predict',
    'see',
    'why',
    'break',
    'build',
    'check',
    'sofar',
  ]);
  expect(lesson.sections[1]?.parts.map((part) => part.type)).toEqual(['markdown', 'scene', 'markdown']);
  expect(partsOf(lesson, 'markdown')[0]).toMatchObject({
    text: expect.stringContaining('Look.'),
    headings: [3],
  });
});

test('a question knows its right option and its explanation', () => {
  expect(partsOf(parse(), 'question')).toEqual([
    {
      type: 'question',
      text: 'Which number?',
      options: [
        { text: 'one', right: true },
        { text: 'another', right: false },
      ],
      explanation: 'Both, in fact.\n\nSee below.',
    },
  ]);
});

test('a scene says what it needs, in any order before its flags', () => {
  const scene = (info: string) => parseScene(info, '@host$ true', { file: 'x', line: 1 });
  expect(scene('a ids time run="--userns auto"')).toMatchObject({
    needs: ['ids', 'time'],
    run: '--userns auto',
  });
  expect(scene('a fresh root')).toMatchObject({ needs: ['root'], fresh: true });
  expect(scene('a').needs).toEqual([]);
  expect(() => scene('a gpu')).toThrow(/scene NAME/);
});

test('a scene has narration, commands over several lines, and claims', () => {
  const [scene] = partsOf(parse(), 'scene');
  expect(scene).toMatchObject({ name: 'two-sides', fresh: true, run: '--lesson pid --init' });
  expect(scene?.lines).toMatchObject([
    { type: 'say', text: 'Inside:' },
    {
      type: 'command',
      at: 'container',
      command: 'ps \\\n  -o pid',
      status: 0,
      claims: [{ matches: true }, { matches: false }],
    },
    { type: 'command', at: 'host', command: 'false', status: 1, claims: [] },
    { type: 'command', at: 'host', command: 'kill $$', status: undefined },
  ]);
  const [, command] = scene?.lines ?? [];
  expect(command).toMatchObject({ file: 'lesson.md', line: lineOf('@container$ ps') });
});

test('source is quoted from the file, without its indentation', () => {
  expect(partsOf(parse(), 'source')).toEqual([
    { type: 'source', name: 'stage.ts#heart', code: 'if (a) {\n  b();\n}' },
  ]);
});

test('the same text parses in Chinese', () => {
  const zh = text
    .replace('## Predict', '## 预测')
    .replace('## See', '## 观察')
    .replace('## Why', '## 原理')
    .replace('## Break', '## 突破')
    .replace('## Build', '## 动手')
    .replace('## Check', '## 检查')
    .replace('## So far', '## 小结');
  expect(parseLesson(zh, 'lesson.zh.md', 'zh', () => stage).sections).toHaveLength(7);
});

describe('a mistake is named with file and line', () => {
  const cases: [string, string, string, RegExp][] = [
    ['a section out of order', '## See', '## Why', /the section is "Why"; here it has to be "See"/],
    ['a section missing', '## So far\n', '', /"## So far" is missing/],
    ['a line that is nothing', '# Inside:', 'Inside:', /"Inside:": a scene's line begins with/],
    ['a claim without a command', '# Inside:', '=> x', /a claim follows its command/],
    ['a bad pattern', '=> PID', '=> (PID', /Invalid regular expression/],
    ['an empty claim', '=> PID', '=> ', /the claim is empty/],
    ['a bad status', '=? 1', '=? one', /an exit status is 0 to 255/],
    ['a bad scene', 'two-sides fresh', 'two sides', /scene NAME \[fresh\]/],
    ['no right option', '- (x) one', '- ( ) one', /0 options are right/],
    ['two right options', '- ( ) another', '- (x) another', /2 options are right/],
    ['an unknown region', 'stage.ts#heart', 'stage.ts#hart', /has no line "\/\/ #region hart"/],
    ['an empty hint', 'Think of birth.', '', /hint 1: it is empty/],
  ];
  test.each(cases)('%s', (_, from, to, message) => {
    const parsing = () => parseLesson(text.replace(from, to), 'lesson.md', 'en', () => stage);
    expect(parsing).toThrow(message);
    expect(parsing).toThrow(/^lesson\.md:\d+: /);
  });
});

const text = `# The first process

## Predict

\`\`\`question
Which number?
- (x) one
- ( ) another
> Both, in fact.
>
> See below.
\`\`\`

## See

### A look

Look.

\`\`\`scene two-sides fresh run="--lesson pid --init"
# Inside:
@container$ ps \\
  -o pid
=> PID
=! 2
@host$ false
=? 1

@host$ kill $$
=? *
\`\`\`

After it.

## Why

\`\`\`source stage.ts#heart
\`\`\`

## Break

## Build

\`\`\`hint 1
Think of birth.
\`\`\`

## Check

## So far

\`\`\`sofar
\`\`\`
`;

function parse(): LessonText {
  return parseLesson(text, 'lesson.md', 'en', () => stage);
}

function lineOf(part: string): number {
  return text.slice(0, text.indexOf(part)).split('\n').length;
}
