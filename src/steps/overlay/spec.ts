/** What a config says about layers. OCI leaves them to engines, which hand a runtime the merged tree; tslab makes it itself. */
import { isAbsolute } from 'node:path';
import {
  INIT_LAYER_ANNOTATION,
  LOWER_ANNOTATION,
  UPPER_ANNOTATION,
  WORK_ANNOTATION,
} from '../../oci/annotations.ts';
import type { Spec } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';

/** OVL_MAX_STACK in the kernel's fs/overlayfs/super.c. */
const MOST = 500;

export interface Layers {
  /** Absolute folders, the lowest first. */
  readonly lower: readonly string[];
  /** Both or none, absolute. */
  readonly upper?: string;
  readonly work?: string;
}

export const overlayFields = [LOWER_ANNOTATION, UPPER_ANNOTATION, WORK_ANNOTATION, INIT_LAYER_ANNOTATION].map(
  (name) => `annotations[${name}]`,
);

/** @throws PlanError naming the annotation. Undefined when the root has no layers. */
export function layersOf({ annotations = {} }: Spec): Layers | undefined {
  const text = annotations[LOWER_ANNOTATION];
  if (text === undefined) {
    const orphan = [UPPER_ANNOTATION, WORK_ANNOTATION, INIT_LAYER_ANNOTATION].find(
      (name) => annotations[name] !== undefined,
    );
    if (orphan !== undefined) wrong(orphan, `means nothing without ${LOWER_ANNOTATION}`);
    return undefined;
  }
  const lower = folders(text);
  const upper = folder(annotations, UPPER_ANNOTATION);
  const work = folder(annotations, WORK_ANNOTATION);
  if ((upper === undefined) !== (work === undefined))
    wrong(upper === undefined ? WORK_ANNOTATION : UPPER_ANNOTATION, 'upper and work belong together');
  const init = folder(annotations, INIT_LAYER_ANNOTATION);
  if (init !== undefined && !lower.includes(init))
    wrong(INIT_LAYER_ANNOTATION, `${init} is none of the lower folders`);
  if (upper === undefined && lower.length < 2)
    wrong(
      LOWER_ANNOTATION,
      'one folder alone is no overlay; name two, or an upper one (mount(8), "overlay")',
    );
  return { lower, ...(upper !== undefined && work !== undefined ? { upper, work } : {}) };
}

function folders(text: string): string[] {
  const list = parse(text);
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST || !list.every(isFolder))
    return wrong(LOWER_ANNOTATION, `it takes a JSON array of 1 to ${MOST} absolute paths, the lowest first`);
  return list;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function folder(annotations: Readonly<Record<string, string>>, name: string): string | undefined {
  const path = annotations[name];
  return path === undefined || isFolder(path) ? path : wrong(name, 'it takes an absolute path');
}

const isFolder = (path: unknown): path is string =>
  typeof path === 'string' && isAbsolute(path) && !path.includes('\0');

function wrong(name: string, what: string): never {
  throw new PlanError(`annotations[${name}]: ${what}`);
}
