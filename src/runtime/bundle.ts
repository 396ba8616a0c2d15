/** A bundle: a directory with config.json, and mostly the root file system (bundle.md). */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ErrorObject } from 'ajv';
import { inOwnWords } from '../oci/dialect.ts';
import { parseJson } from '../oci/parse-config.ts';
import { violation } from '../oci/rules.ts';
import type { Process, Spec } from '../oci/spec.ts';
import { validateConfig } from '../oci/validator.ts';
import { withHome } from './home.ts';

/** A config that is not what the specification says. */
export class ConfigError extends Error {}

/**
 * Reads and judges a bundle's config. In what is returned `root.path` is absolute, and the program has a HOME.
 *
 * @param file default: config.json in the bundle.
 * @throws ConfigError naming the file and the field.
 */
export function readBundle(bundle: string, file = join(bundle, 'config.json')): Spec {
  const spec = judged(file, parsed(file));
  const path = resolve(bundle, spec.root?.path ?? '');
  if (!existsSync(path)) throw new ConfigError(`${file}: root.path: ${path}: no such directory`);
  const { process } = spec;
  return {
    ...spec,
    root: { ...spec.root, path },
    ...(process ? { process: withHome(process, path) } : {}),
  };
}

/** A process object by itself, as for `exec`. @throws ConfigError naming the file and the field. */
export function readProcess(file: string): Process {
  const process = parsed(file) as Process;
  return judged(file, { ociVersion: '1.3.0', root: { path: '/' }, process }).process ?? process;
}

function parsed(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError(`open(${JSON.stringify(file)}): ${code}: there is none to read`);
  }
  try {
    return inOwnWords(parseJson(text));
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`);
  }
}

function judged(file: string, config: unknown): Spec {
  if (!validateConfig(config)) {
    const [first] = validateConfig.errors ?? [];
    throw new ConfigError(`${file}: ${first ? described(first) : 'not a config'}`);
  }
  const spec = config as Spec;
  const broken = violation(spec);
  if (broken) throw new ConfigError(`${file}: ${broken.field}: ${broken.message}`);
  return spec;
}

/** `/linux/namespaces/0/type` is told as `linux.namespaces[0].type`. */
function described({ instancePath, message, params }: ErrorObject): string {
  const field = instancePath
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
    .replace(/^\./, '');
  const allowed = params.allowedValues ? `: ${params.allowedValues.join(', ')}` : '';
  return `${field === '' ? '' : `${field}: `}${message}${allowed}`;
}
