/**
 * Takes Node's code cache out of a start-up snapshot:  node scripts/trim-snapshot.ts BLOB
 *
 * A blob carries compiled code for every module that Node has inside, 4 MB of 8, and each start reads and copies all of it
 * (5 ms of 35). What our commands use of them is in the snapshot's heap already. The cache is the blob's last part, a list:
 * u64 entries, then for each: u64 length, the module's name, u64 length, its code (src/node_snapshotable.cc). Exit status 1
 * if the blob ends otherwise; then it is left as it is.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const path = process.argv[2] ?? '';
const blob = readFileSync(path);

/** The offset after an entry that begins here, if one does. */
function afterEntry(offset: number): number | undefined {
  const name = bytesAt(offset);
  if (!name || name.length > 100 || !/^[\w/.-]+$/.test(name.toString('latin1'))) return undefined;
  const code = bytesAt(offset + 8 + name.length);
  return code && offset + 16 + name.length + code.length;
}

function bytesAt(offset: number): Buffer | undefined {
  if (offset + 8 > blob.length) return undefined;
  const length = blob.readBigUInt64LE(offset);
  if (length === 0n || length > BigInt(blob.length - offset - 8)) return undefined;
  return blob.subarray(offset + 8, offset + 8 + Number(length));
}

/** Whether a list that is the whole rest of the blob begins here. */
function isList(offset: number): boolean {
  const entries = blob.readBigUInt64LE(offset);
  if (entries < 100n || entries > 1000n) return false;
  let at: number | undefined = offset + 8;
  for (let i = 0n; i < entries && at !== undefined; i++) at = afterEntry(at);
  return at === blob.length;
}

let list = 0;
while (list + 8 <= blob.length && !isList(list)) list++;
if (list + 8 > blob.length) {
  console.error(`${path}: does not end with a list of compiled modules`);
  process.exit(1);
}
blob.writeBigUInt64LE(0n, list);
writeFileSync(`${path}.trimmed`, blob.subarray(0, list + 8));
renameSync(`${path}.trimmed`, path);
