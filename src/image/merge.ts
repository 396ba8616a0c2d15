/** All layers of an image as one tree of files, for where the layers themselves can't be used, or aren't wanted. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stages } from '../../lessons/index.ts';
import { probe } from '../facts/probe.ts';
import { LOWER_ANNOTATION } from '../oci/annotations.ts';
import type { Linux, Spec } from '../oci/spec.ts';
import { compose } from '../plan/compose.ts';
import { withOrigin } from '../runtime/plan.ts';
import { perform } from '../runtime/run.ts';
import { treeOfLayers } from '../steps/root-tree.ts';
import type { Draft } from '../steps/stage.ts';

/**
 * The kernel merges them, in a mount namespace of the copying process's own, and the host's cp reads what it shows.
 *
 * @param into a folder, which is there.
 * @param ids the user namespace of an ordinary user: then files get the ids of its ranges.
 * @throws StartError; Error if cp has ended with another status than 0: it has said why.
 */
export async function mergeLayers(
  layers: readonly string[],
  into: string,
  ids: Pick<Linux, 'uidMappings' | 'gidMappings'> = {},
): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'tslab-merge-'));
  try {
    const { code, signal } = await copy(layers, place, into, ids);
    if (code !== 0) throw new Error(`cp -a ${into}: it ended with ${signal ?? `status ${code}`}`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function copy(
  layers: readonly string[],
  place: string,
  into: string,
  ids: Pick<Linux, 'uidMappings' | 'gidMappings'>,
): Promise<{ code?: number; signal?: string }> {
  const [nothing, merged] = [join(place, 'nothing'), join(place, 'merged')];
  for (const path of [nothing, merged]) mkdirSync(path);
  const { uidMappings, gidMappings } = process.geteuid?.() === 0 ? {} : ids;
  const user = uidMappings && gidMappings ? { uidMappings, gidMappings } : undefined;
  const spec: Spec = {
    ociVersion: '1.3.0',
    root: { path: merged },
    process: {
      args: ['cp', '-a', '--reflink=auto', `${merged}/.`, into],
      cwd: '/',
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    },
    // One layer alone would be no overlay.
    annotations: { [LOWER_ANNOTATION]: JSON.stringify([nothing, ...layers]) },
    linux: {
      namespaces: [{ type: 'mount' }, ...(user ? [{ type: 'user' as const }] : [])],
      ...user,
    },
  };
  const facts = probe(spec);
  // The host's own root stays, and the program is the host's: what the image holds is only read.
  const { root: _, ...onHost } = spec;
  const from = (id: string, of: Spec) =>
    (stages.find((stage) => stage.id === id)?.plan(of, facts) ?? []).map((draft) => withOrigin(draft, id));
  const tree = (draft: Draft) => withOrigin(draft, 'mount');
  const steps = [
    ...from('process', onHost),
    ...(user ? from('user', onHost) : []),
    ...from('overlay', spec),
    ...treeOfLayers(spec, facts).map(tree),
  ];
  const { exit } = await perform(compose('merge', steps), { stdio: ['ignore', 'inherit', 'inherit'] });
  return await exit;
}
