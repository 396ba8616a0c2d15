/** Every field of the specification's Linux schema has one owner: a stage, the runtime itself, or a refusal by name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stages } from '../../lessons/index.ts';
import type { Facts } from '../../src/facts/facts.ts';
import { isSet, refusedFields, runtimeFields } from '../../src/oci/fields.ts';
import type { Spec } from '../../src/oci/spec.ts';
import { planFor } from '../../src/runtime/plan.ts';

const folder = join(import.meta.dirname, '../../src/oci/schema');
/** Other operating systems' parts of the config, and their fields of `process`. */
const foreign = [
  'solaris',
  'windows',
  'vm',
  'zos',
  'freebsd',
  'process.commandLine',
  'process.user.username',
];

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: string[];
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/** All leaves, as `linux.resources.cpu.shares`; lists as their owner names them, namespaces by type. */
function leaves(file: string, schema: Schema, path: string): string[] {
  if (foreign.includes(path)) return [];
  if (path === 'linux.namespaces') return namespaceTypes().map((type) => `${path}[${type}]`);
  if (schema.$ref) {
    const [other, pointer = ''] = schema.$ref.split('#');
    const target = other || file;
    const steps = pointer.split('/').filter((step) => step !== '');
    const found = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], load(target));
    return leaves(target, found as Schema, path);
  }
  const choices = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const below = [
    ...choices.flatMap((choice) => leaves(file, choice, path)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
      leaves(file, inner, path === '' ? name : `${path}.${name}`),
    ),
    ...(schema.items?.$ref || schema.items?.properties ? leaves(file, schema.items, path) : []),
  ];
  return below.length > 0 ? [...new Set(below)] : [path];
}

const load = (file: string): Schema => JSON.parse(readFileSync(join(folder, file), 'utf8'));

function namespaceTypes(): string[] {
  const { definitions } = load('defs-linux.json') as { definitions: Record<string, Schema> };
  return definitions.NamespaceType?.enum ?? [];
}

const owners = (leaf: string) => {
  const covers = (field: string) =>
    leaf === field || leaf.startsWith(`${field}.`) || leaf.startsWith(`${field}[`);
  return [
    ...stages.flatMap(({ id, owns }) => owns.filter(covers).map((field) => `${id}: ${field}`)),
    ...runtimeFields.filter(covers),
    ...Object.keys(refusedFields).filter(covers),
  ];
};

const all = leaves('config-schema.json', load('config-schema.json'), '');

test('the schema is read to its leaves', () => {
  expect(all.length).toBeGreaterThan(120);
  expect(all).toContain('linux.resources.memory.checkBeforeUpdate');
  expect(all).toContain('linux.namespaces[time]');
  expect(all).toContain('mounts.destination');
});

test.each(all)('%s has one owner', (leaf) => {
  expect(owners(leaf)).toHaveLength(1);
});

test('what is owned or refused is in the schema', () => {
  const named = [...stages.flatMap(({ owns }) => owns), ...Object.keys(refusedFields)];
  const strays = named.filter(
    (field) =>
      !field.startsWith('annotations[') &&
      !all.some((leaf) => leaf === field || leaf.startsWith(`${field}.`)),
  );
  expect(strays).toEqual([]);
});

const facts = { uid: 0, namespaces: [], capabilities: [], cgroup: { layout: 'none' } };
const plan = (more: Partial<Spec>, chosen = stages) =>
  planFor(
    'test',
    { ociVersion: '1.3.0', process: { args: ['x'], cwd: '/' }, ...more },
    facts as unknown as Facts,
    chosen,
  );

test.each(Object.keys(refusedFields))('%s is refused by name', (field) => {
  const named = /^linux\.namespaces\[(.*)\]$/.exec(field);
  const [last = '', ...above] = field.split('.').reverse();
  const nested = above.reduce<unknown>((inner, name) => ({ [name]: inner }), { [last]: { x: [1] } });
  const config = named ? { linux: { namespaces: [{ type: named[1] }] } } : nested;
  expect(() => plan(config as Partial<Spec>)).toThrow(`config: ${field}: `);
});

test('a field whose stage is not chosen is refused, with the lesson that brings it', () => {
  const early = stages.filter(({ id }) => id === 'process');
  expect(() => plan({ hostname: 'x' }, early)).toThrow(/config: hostname: it takes the stage of lesson uts/);
  expect(() => plan({ linux: { namespaces: [{ type: 'uts' }] } }, early)).toThrow(/linux\.namespaces\[uts\]/);
});

test('what is empty asks for nothing', () => {
  expect(isSet({ ociVersion: '1.3.0', hooks: {} }, 'hooks')).toBe(false);
  expect(isSet({ ociVersion: '1.3.0', linux: { maskedPaths: [] } }, 'linux.maskedPaths')).toBe(false);
  expect(isSet({ ociVersion: '1.3.0', root: { path: '/' } }, 'root.path')).toBe(true);
});
