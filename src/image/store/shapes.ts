/** Documents that came from elsewhere: whatever has another shape than it says is refused, with the path of the fault. */

import type { Descriptor, ImageConfig, Index, Manifest } from '../types.ts';
import { parseDigest } from './digest.ts';

/** More layers than any kernel stacks (overlayfs: 500), and a bound for what else is listed. */
const MOST = 1000;

type Check = (value: unknown, at: string) => void;

const no = (at: string, wanted: string): never => {
  throw new Error(`${at}: it takes ${wanted}`);
};

const string: Check = (value, at) => {
  if (typeof value !== 'string' || value.includes('\0')) no(at, 'a string');
};
const boolean: Check = (value, at) => {
  if (typeof value !== 'boolean') no(at, 'true or false');
};
const size: Check = (value, at) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) no(at, 'a number of bytes');
};
const digest: Check = (value, at) => {
  try {
    parseDigest(value);
  } catch {
    no(at, 'a digest, such as sha256:…');
  }
};
const exactly =
  (wanted: unknown): Check =>
  (value, at) => {
    if (value !== wanted) no(at, JSON.stringify(wanted));
  };
const object: Check = (value, at) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) no(at, 'an object');
};
const listOf =
  (each: Check): Check =>
  (value, at) => {
    if (!Array.isArray(value) || value.length > MOST) no(at, `a list of at most ${MOST}`);
    for (const [i, one] of (value as unknown[]).entries()) each(one, `${at}[${i}]`);
  };
const mapOf =
  (each: Check): Check =>
  (value, at) => {
    object(value, at);
    for (const [key, one] of Object.entries(value as object)) each(one, `${at}.${key}`);
  };
/** Go writes what is empty as null. */
const optional =
  (check: Check): Check =>
  (value, at) => {
    if (value !== undefined && value !== null) check(value, at);
  };
const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, at) => {
    object(value, at);
    for (const [name, check] of Object.entries(fields))
      check((value as Record<string, unknown>)[name], at === '' ? name : `${at}.${name}`);
  };

const annotations = optional(mapOf(string));
const platform = optional(shape({ architecture: string, os: string, variant: optional(string) }));
const descriptor = shape({ mediaType: string, digest, size, platform, annotations });
const manifest = shape({
  schemaVersion: exactly(2),
  mediaType: optional(string),
  config: descriptor,
  layers: listOf(descriptor),
  annotations,
});
const index = shape({
  schemaVersion: exactly(2),
  mediaType: optional(string),
  manifests: listOf(descriptor),
  annotations,
});
const config = shape({
  architecture: string,
  os: string,
  created: optional(string),
  rootfs: shape({ type: exactly('layers'), diff_ids: listOf(digest) }),
  config: optional(
    shape({
      Env: optional(listOf(string)),
      Cmd: optional(listOf(string)),
      Entrypoint: optional(listOf(string)),
      WorkingDir: optional(string),
      User: optional(string),
      Volumes: optional(mapOf(object)),
      ExposedPorts: optional(mapOf(object)),
      Labels: optional(mapOf(string)),
      StopSignal: optional(string),
    }),
  ),
  history: optional(
    listOf(
      shape({
        created: optional(string),
        author: optional(string),
        created_by: optional(string),
        comment: optional(string),
        empty_layer: optional(boolean),
      }),
    ),
  ),
});

const checked =
  <T>(check: Check, what: string) =>
  (value: unknown): T => {
    try {
      check(value, '');
    } catch (error) {
      throw new Error(`${what}: ${(error as Error).message}`);
    }
    return withoutNulls(value) as T;
  };

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null)
      .map(([name, one]) => [name, withoutNulls(one)]),
  );
}

/** @throws Error that names the field which is not as the specification has it; the same for the other three. */
export const asDescriptor = checked<Descriptor>(descriptor, 'descriptor');
export const asManifest = checked<Manifest>(manifest, 'image manifest');
export const asIndex = checked<Index>(index, 'image index');
export const asImageConfig = checked<ImageConfig>(config, 'image config');
