/** What the specification's prose demands of a config, and a JSON schema cannot say. */
import { isAbsolute } from 'node:path';
import { type NamespaceType, namespace, type Spec } from './spec.ts';

interface Violation {
  /** A path into config.json, such as `process.rlimits[1].type`. */
  readonly field: string;
  readonly message: string;
}

type Rule = (spec: Spec) => Violation[];

/** The first violation, or undefined. */
export function violation(spec: Spec): Violation | undefined {
  for (const rule of rules) {
    const [first] = rule(spec);
    if (first) return first;
  }
  return undefined;
}

const wrong = (field: string, message: string): Violation[] => [{ field, message }];
const fine: Violation[] = [];

const rules: readonly Rule[] = [
  // config.md, "Specification version": semantic versioning; minor versions only add.
  ({ ociVersion }) =>
    /^1\.\d+\.\d+(?:[-+].+)?$/.test(ociVersion)
      ? fine
      : wrong('ociVersion', `${JSON.stringify(ociVersion)} is not a version 1.x of the specification`),
  ({ root }) => (root?.path ? fine : wrong('root.path', 'is required on Linux')),
  // config.md, "Process": cwd MUST be absolute; args has at least one entry.
  ({ process }) =>
    !process || isAbsolute(process.cwd) ? fine : wrong('process.cwd', 'must be an absolute path'),
  ({ process }) =>
    !process || (process.args?.length ?? 0) > 0 ? fine : wrong('process.args', 'must name a program'),
  ({ process }) =>
    repeated(process?.rlimits ?? [], ({ type }) => type).map(([i, type]) => ({
      field: `process.rlimits[${i}].type`,
      message: `${type} is there twice`,
    })),
  // config-linux.md, "Namespaces": a type MUST NOT be there twice; paths MUST be absolute.
  ({ linux }) =>
    repeated(linux?.namespaces ?? [], ({ type }) => type).map(([i, type]) => ({
      field: `linux.namespaces[${i}].type`,
      message: `${type} is there twice`,
    })),
  ({ linux }) =>
    (linux?.namespaces ?? []).flatMap(({ path }, i) =>
      path === undefined || isAbsolute(path)
        ? fine
        : wrong(`linux.namespaces[${i}].path`, 'must be an absolute path'),
    ),
  needs('hostname', 'uts', (spec) => spec.hostname),
  needs('domainname', 'uts', (spec) => spec.domainname),
  needs('linux.uidMappings', 'user', (spec) => some(spec.linux?.uidMappings)),
  needs('linux.gidMappings', 'user', (spec) => some(spec.linux?.gidMappings)),
  needs('linux.timeOffsets', 'time', (spec) => some(Object.keys(spec.linux?.timeOffsets ?? {}))),
  needs('linux.netDevices', 'network', (spec) => some(Object.keys(spec.linux?.netDevices ?? {}))),
  // config.md, "POSIX-platform Hooks".
  ({ hooks }) =>
    Object.entries(hooks ?? {}).flatMap(([point, list]) =>
      list.flatMap(({ path, timeout }, i) => [
        ...(isAbsolute(path) ? fine : wrong(`hooks.${point}[${i}].path`, 'must be an absolute path')),
        ...(timeout === undefined || timeout > 0
          ? fine
          : wrong(`hooks.${point}[${i}].timeout`, 'must be greater than zero')),
      ]),
    ),
  // config.md, "Annotations": keys MUST NOT be empty.
  ({ annotations }) =>
    '' in (annotations ?? {}) ? wrong('annotations', 'a key must not be an empty string') : fine,
];

const some = (list: readonly unknown[] | undefined) => (list?.length ? list : undefined);

/** A field that only has a meaning in a namespace of that type, new or joined. */
function needs(field: string, type: NamespaceType, value: (spec: Spec) => unknown): Rule {
  return (spec) =>
    value(spec) === undefined || namespace(spec, type)
      ? fine
      : wrong(field, `needs an entry of type ${type} in linux.namespaces`);
}

function repeated<T>(list: readonly T[], key: (one: T) => string): [index: number, key: string][] {
  return list.flatMap((one, i) =>
    list.slice(0, i).some((earlier) => key(earlier) === key(one)) ? [[i, key(one)] as [number, string]] : [],
  );
}
