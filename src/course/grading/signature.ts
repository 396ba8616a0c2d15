/**
 * A report that shows when it was changed: signed with a key of whoever marked (Ed25519, RFC 8032). It proves that the
 * holder of that key made it, so the public key has to be known from elsewhere than the report.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asLearner, type Learner } from '../learner.ts';
import { write } from '../progress.ts';

export interface Signature {
  algorithm: 'Ed25519';
  /** DER (SPKI), base64. */
  publicKey: string;
  /** Over the report's canonical JSON without this field, base64. */
  value: string;
}

export const keyFile = (who: Learner): string => join(who.home, '.config/tslab/grading-key.pem');

/** The key is made when it is first needed; nobody else may read it. */
export function signed<T extends object>(report: T, who: Learner): T & { signature: Signature } {
  const key = createPrivateKey(asLearner(who, () => readOrMake(keyFile(who))));
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  const value = sign(undefined, Buffer.from(canonical(report)), key).toString('base64');
  return { ...report, signature: { algorithm: 'Ed25519', publicKey, value } };
}

/** Whether it is as it was signed, by which key. @throws Error if it bears no signature. */
export function verified(report: object): { genuine: boolean; fingerprint: string } {
  const { signature, ...rest } = report as { signature?: Signature };
  if (typeof signature?.publicKey !== 'string' || typeof signature.value !== 'string')
    throw new Error('it bears no signature');
  const der = Buffer.from(signature.publicKey, 'base64');
  const fingerprint = createHash('sha256').update(der).digest('hex').slice(0, 16);
  try {
    const key = createPublicKey({ key: der, type: 'spki', format: 'der' });
    const genuine =
      key.asymmetricKeyType === 'ed25519' &&
      verify(undefined, Buffer.from(canonical(rest)), key, Buffer.from(signature.value, 'base64'));
    return { genuine, fingerprint };
  } catch {
    return { genuine: false, fingerprint };
  }
}

/** The same value gives the same bytes, in whatever order and layout it was stored. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function readOrMake(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  write(file, pem, 0o600);
  return pem;
}
