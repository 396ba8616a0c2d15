/** config.json from its text. */
import type { Spec } from './spec.ts';

/** Fields of 64 bits where the last digit counts: seccomp compares with these. */
const exact = ['value', 'valueTwo'];

/**
 * JSON.parse, but for integers above 2^53 in a system call's arguments: they stay strings of digits, so that a filter
 * compares with what was written.
 *
 * @throws SyntaxError for what is no JSON.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text, ((key: string, value: unknown, context: { source?: string }) =>
    exact.includes(key) && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? context.source
      : value) as Parameters<typeof JSON.parse>[1]);
}

/** A whole config.json; see parseJson. */
export const parseConfig = (text: string): Spec => parseJson(text) as Spec;
