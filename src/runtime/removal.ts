/**
 * An ordinary user's container can make files that its owner can't remove: they belong to ids of the user's range. Root
 * of a namespace with that range can, so a plan that removes them is kept beside them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stages } from '../../lessons/index.ts';
import { probe } from '../facts/probe.ts';
import { launcherPath } from '../launch/launcher.ts';
import type { Spec } from '../oci/spec.ts';
import { encode } from '../plan/encode.ts';
import type { Step } from '../plan/step.ts';
import type { Folder } from './containers.ts';
import { planFor } from './plan.ts';

const planOf = (folder: string) => join(folder, 'remove');

/** Writes the plan, where one is needed. @returns the step whose undo performs it, for the ledger. */
export function keepRemoval(folder: Folder, spec: Spec): Step[] {
  const { uidMappings = [], gidMappings = [] } = spec.linux ?? {};
  if (process.geteuid?.() === 0 || uidMappings.every(({ size }) => size === 1)) return [];
  const remover: Spec = {
    ociVersion: spec.ociVersion,
    process: { args: ['rm', '-rf', '--', ...filled(folder)], cwd: '/', env: ['PATH=/usr/bin:/bin'] },
    linux: { namespaces: [{ type: 'user' }], uidMappings, gidMappings },
  };
  const chosen = stages.filter(({ id }) => id === 'process' || id === 'user');
  writeFileSync(planOf(folder.path), encode(planFor('remove', remover, probe(remover), chosen)));
  return [performedAtTheEnd(folder)];
}

/** What its processes may have written into. */
const filled = ({ rootfs, upper, work, volumes }: Folder) => [rootfs, upper, work, volumes];

function performedAtTheEnd(folder: Folder): Step {
  const { path } = folder;
  // Most leave nothing of that sort, and a namespace costs more than a look.
  const script = 'launcher=$1 plan=$2; shift 2; rm -rf "$@" 2>/dev/null || exec "$launcher" --plan "$plan"';
  return {
    at: 'host',
    phase: 'prepare',
    kind: 'open',
    path,
    flags: ['O_PATH', 'O_DIRECTORY'],
    undo: {
      kind: 'spawn',
      path: '/bin/sh',
      argv: ['sh', '-c', script, 'sh', launcherPath, planOf(path), ...filled(folder)],
      envp: ['PATH=/usr/bin:/bin'],
      input: '',
      timeout: 60_000,
    },
    from: { lesson: 'runtime' },
  };
}

/** What the folder's owner may not remove, as far as a plan for it was kept. */
export function removeOthersFiles(folder: string): void {
  if (existsSync(planOf(folder))) spawnSync(launcherPath, ['--plan', planOf(folder)], { stdio: 'ignore' });
}
