/** Digests: what a blob is called, and what proves that it is that blob (image-spec, descriptor.md, "Digests"). */
import { createHash, type Hash } from 'node:crypto';

/** How many hexadecimal digits each has. */
const algorithms: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

export interface Digest {
  readonly algorithm: string;
  readonly hex: string;
}

/**
 * Nothing that passes here can climb out of a folder that it is put below.
 *
 * @throws Error unless it is one that tslab can verify.
 */
export function parseDigest(text: unknown): Digest {
  const [, algorithm = '', hex = ''] =
    (typeof text === 'string' && /^([a-z0-9]+):([0-9a-f]+)$/.exec(text)) || [];
  if (Object.hasOwn(algorithms, algorithm) && algorithms[algorithm] === hex.length) return { algorithm, hex };
  throw new Error(
    `digest ${JSON.stringify(text)}: it takes sha256: and 64 hexadecimal digits, or sha512: and 128`,
  );
}

export const isDigest = (text: unknown): text is string => {
  try {
    return parseDigest(text) !== undefined;
  } catch {
    return false;
  }
};

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** For what comes in pieces. */
export class Hasher {
  readonly #algorithm: string;
  readonly #hash: Hash;

  /** @param like a digest of the algorithm that is wanted. */
  constructor(like?: string) {
    this.#algorithm = like === undefined ? 'sha256' : parseDigest(like).algorithm;
    this.#hash = createHash(this.#algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Once, at the end. */
  digest(): string {
    return `${this.#algorithm}:${this.#hash.digest('hex')}`;
  }
}
