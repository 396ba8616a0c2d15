/**
 * Node's own door to the kernel, for what it has no function for. Loading koffi costs about 20 ms, so it is loaded by the
 * first call, and commands that make none do not pay.
 */
import { createRequire } from 'node:module';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { packageRoot } from '../package-root.ts';

type Koffi = typeof import('koffi');
export type Call = (...args: unknown[]) => number;

let koffi: Koffi | undefined;
let libc: ReturnType<Koffi['load']> | undefined;

/** Not import(): there is none in the start-up snapshot. */
function load(): ReturnType<Koffi['load']> {
  koffi ??= createRequire(`${packageRoot}/`)('koffi') as Koffi;
  libc ??= koffi.load(null);
  return libc;
}

/** A function of libc by its C prototype, looked up when it is first called. */
export function libcFunction(prototype: string): Call {
  let found: Call | undefined;
  return (...args) => {
    found ??= load().func(prototype) as Call;
    return found(...args);
  };
}

/** Any call in between may overwrite it, so ask in the very next statement. */
export const errno = (): number => koffi?.errno() ?? 0;

/** An error as Node's own functions throw it: `code` is the errno's name. */
export function systemError(syscall: string, path: string, number = errno()): NodeJS.ErrnoException {
  const code = getSystemErrorName(-number);
  const error: NodeJS.ErrnoException = new Error(
    `${syscall}(${path}): ${code}, ${getSystemErrorMessage(-number)}`,
  );
  return Object.assign(error, { code, errno: -number, syscall, path });
}
