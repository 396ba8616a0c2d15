/** README's tables of commands, options and config fields say what there is: no more, no less. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { stages } from '../../lessons/index.ts';
import { refusedFields, runtimeFields } from '../../src/oci/fields.ts';
import { globalOptions } from '../../src/oci-cli/main.ts';
import { packageRoot } from '../../src/package-root.ts';

const folder = join(packageRoot, 'src/oci-cli/commands');
const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
const [section = ''] = (readme.split("## As an engine's runtime")[1] ?? '').split('\n## ');
/** First cell, and all words in code in the others. */
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').slice(1, -1))
  .map(([first = '', ...rest]) => ({ first, words: codes(rest.join('|')) }));

function codes(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

const optionsOf = (command: Command) => command.options.map(({ long }) => long ?? '');
const told = (name: string) =>
  rows
    .filter(({ first }) => codes(first).includes(name))
    .flatMap(({ words }) => words)
    .filter((word) => word.startsWith('--'));

test.each(globSync('*.ts', { cwd: folder }).map((file) => basename(file, '.ts')))(
  'the options of %s',
  async (name) => {
    const program = new Command().enablePositionalOptions();
    const { declare } = (await import(join(folder, `${name}.ts`))) as { declare(program: Command): void };
    declare(program);
    const own = new Set(optionsOf(program.commands[0] as Command));
    const others = name === 'create' ? ['--detach', '--keep'] : []; // one row with run, which says so
    expect([...new Set(told(name))].sort()).toEqual([...own, ...others].sort());
  },
);

test('the options in front of the command', () => {
  const row = rows.find(({ first }) => first.includes('in front of all'));
  expect(row?.words.sort()).toEqual(optionsOf(globalOptions(new Command())).sort());
});

test('each field of config.json that somebody owns, and no other', () => {
  const prefixes: Record<string, (word: string) => string> = {
    top: (word) => word,
    '`process`': (word) => `process.${word}`,
    '`linux`': (word) => `linux.${word}`,
    '`linux.namespaces`': (word) => `linux.namespaces[${word}]`,
  };
  const listed = Object.entries(prefixes).flatMap(([first, whole]) =>
    (rows.find((row) => row.first.trim() === first)?.words ?? []).map(whole),
  );
  const owned = [...runtimeFields, ...stages.flatMap(({ owns }) => owns)].filter(
    (field) => !field.startsWith('annotations['),
  );
  expect(listed.sort()).toEqual([...new Set(owned)].sort());
  const refused = rows.find(({ first }) => first.trim() === 'refused')?.words;
  expect(refused).toEqual(Object.keys(refusedFields));
});
