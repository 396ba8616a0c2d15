/** What a registry, or the way to it, says no with. */
export interface Failure {
  /** The HTTP status, if there was an answer. */
  status?: number | undefined;
  /** The error code of the system call, of TLS or of the registry's JSON: ECONNRESET, MANIFEST_UNKNOWN. */
  code?: string | undefined;
  /** The same request may succeed later. */
  temporary?: boolean | undefined;
  /** Milliseconds; the registry asked for that long a pause. */
  after?: number | undefined;
  cause?: unknown;
}

export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly temporary: boolean;
  readonly after: number | undefined;

  constructor(message: string, { status, code, temporary = false, after, cause }: Failure = {}) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.temporary = temporary;
    this.after = after;
  }
}

/** Somebody else's words, for a message: short, and nothing in them that a terminal obeys or that turns text round. */
export const quoted = (text: string, most = 300): string =>
  JSON.stringify(text.slice(0, most)).replace(/\p{C}/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
