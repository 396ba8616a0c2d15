/** The same config under tslab, crun and runc: what their containers see is the same, except for differences with a reason. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Spec } from '../../src/oci/spec.ts';
import { packageRoot } from '../../src/package-root.ts';
import { accepted, type Difference, type Pending, pending, table } from '../support/peers/differences.ts';
import { hosts, installed, type Peer, runPeer, runTslab } from '../support/peers/runtimes.ts';
import { type Contrast, contrasts } from '../support/peers/seen.ts';

const peers: readonly Peer[] = ['crun', 'runc'];
const reason =
  process.getuid?.() !== 0
    ? 'needs root'
    : peers.every(installed)
      ? undefined
      : 'no crun or no runc on this host';

const applies = ({ on }: Difference) => on === undefined || hosts[on];
const without = (left: readonly Pending[]) => (spec: Spec) => {
  for (const { without } of left) without?.(spec);
};
let found: Record<Peer, Contrast[]> | undefined;
beforeAll(async () => {
  if (reason === undefined) found = await compare();
}, 60_000);

async function compare(): Promise<Record<Peer, Contrast[]>> {
  const tslab = await runTslab(without(pending));
  return { crun: contrasts(tslab, await runPeer('crun')), runc: contrasts(tslab, await runPeer('runc')) };
}

describe.each(peers)('%s', (peer) => {
  const known = [...accepted, ...pending].filter((one) => one.peers.includes(peer) && applies(one));

  test('what its container sees, one of tslab sees as well', (ctx) => {
    ctx.skip(found === undefined, reason);
    expect(found?.[peer].filter(({ fact }) => !known.some(({ facts }) => facts.test(fact)))).toEqual([]);
  });

  test.for(known)('differs in $what; when no longer, delete the line in differences.ts', ({ facts }, ctx) => {
    ctx.skip(found === undefined, reason);
    expect(found?.[peer].filter(({ fact }) => facts.test(fact))).not.toEqual([]);
  });
});

test.for(pending.filter((one) => one.without))(
  'tslab can not start with $what; when it can, delete the line in differences.ts',
  async (mended, ctx) => {
    ctx.skip(found === undefined, reason);
    const others = without(pending.filter((one) => one !== mended));
    await expect(runTslab(others).then(() => 'it ran')).rejects.toThrow(/config|step/);
  },
);

test('the README says where tslab differs', () => {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  expect(
    table()
      .split('\n')
      .filter((line) => !readme.includes(line)),
  ).toEqual([]);
});
