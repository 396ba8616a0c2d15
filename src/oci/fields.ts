/**
 * The fields of a config by name, as stages own them: `process.cwd`, `linux.namespaces[uts]`, `annotations[org.tslab.init]`.
 * A name stands for all that is below it.
 */
import type { Spec } from './spec.ts';

/** Left to the runtime itself, whatever its stages. Unknown annotations and properties are ignored (config.md, "Extensibility"). */
export const runtimeFields = ['ociVersion', 'annotations', 'hooks'];

/** What this runtime does not do, and so refuses instead of passing over it. */
export const refusedFields: Readonly<Record<string, string>> = {
  'linux.intelRdt': 'cache and memory bandwidth allocation (resctrl) is not built',
};

/** Whether the config asks for something there. What is empty asks for nothing. */
export function isSet(spec: Spec, field: string): boolean {
  let value: unknown = spec;
  for (const [, name = '', key] of field.matchAll(/([^.[\]]+)(?:\[([^\]]+)\])?/g)) {
    value = (value as Record<string, unknown> | undefined)?.[name];
    if (key !== undefined) value = entry(value, key);
  }
  if (typeof value !== 'object') return value !== undefined;
  return value !== null && Object.keys(value).length > 0;
}

/** Namespaces are a list, told apart by their type; the other named ones are objects. */
function entry(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.find((one) => one.type === key);
  return (value as Record<string, unknown> | undefined)?.[key];
}
