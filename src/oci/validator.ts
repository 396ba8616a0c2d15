/**
 * The specification's own schemas as functions. What is built holds the functions alone (scripts/build.ts compiles them),
 * so that no start pays for a schema compiler.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';

const folder = join(import.meta.dirname, 'schema');
const files = [
  'defs',
  'defs-linux',
  'defs-vm',
  'defs-windows',
  'defs-zos',
  'defs-freebsd',
  'config-linux',
  'config-vm',
  'config-windows',
  'config-zos',
  'config-solaris',
  'config-freebsd',
  'features-linux',
];

/** Draft 4 of JSON Schema, of which these schemas use only what later drafts still have. */
export function compiler(options = {}): Ajv {
  const ajv = new Ajv({ strict: false, allErrors: false, logger: false, ...options });
  for (const name of [...files, 'config-schema', 'state-schema', 'features-schema'])
    ajv.addSchema(load(name), `${name}.json`);
  return ajv;
}

function load(name: string): AnySchemaObject {
  const { $schema: _, ...schema } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  return schema;
}

export const validateConfig = compiler().getSchema('config-schema.json') as ValidateFunction;
