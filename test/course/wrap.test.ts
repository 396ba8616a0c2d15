import { expect, test } from 'vitest';
import { columns, wrap } from '../../src/course/wrap.ts';

test('breaks at spaces', () => {
  expect(wrap('one two three', 7)).toBe('one two\nthree');
  expect(wrap('one two three', 8, '  ')).toBe('one two\n  three');
});

test('a Chinese character takes two columns, and a line breaks between any two', () => {
  expect(columns('容器 ab')).toBe(7);
  expect(wrap('容器就是进程', 8)).toBe('容器就是\n进程');
});

test('no line begins with a closing mark or ends with an opening one', () => {
  expect(wrap('容器就是，进程', 8)).toBe('容器就\n是，进程');
  expect(wrap('容器就（是）', 8)).toBe('容器就\n（是）');
});

test('colours take no room and are kept', () => {
  const red = (text: string) => `\x1b[31m${text}\x1b[39m`;
  expect(wrap(`${red('one')} two ${red('three')}`, 7)).toBe(`${red('one')} two\n${red('three')}`);
});

test('a word longer than the line breaks inside, and nothing is lost', () => {
  const word = 'x'.repeat(25);
  expect(wrap(word, 10).replaceAll('\n', '')).toBe(word);
  expect(Math.max(...wrap(word, 10).split('\n').map(columns))).toBe(10);
});
