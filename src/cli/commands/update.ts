/** tslab update: other limits for running containers. */
import type { Command } from 'commander';
import type { ResourceFlags } from '../resource-flags.ts';
import { addResourceFlags } from '../spec-flags.ts';

export const command = (program: Command): void => {
  addResourceFlags(program.command('update'))
    .description('change the limits of running containers')
    .argument('<container...>', 'their names, or the beginnings of their ids')
    .action(async (names: string[], flags: ResourceFlags) => {
      const { probe } = await import('../../facts/probe.ts');
      const { directoriesOf } = await import('../../runtime/cgroup.ts');
      const { update } = await import('../../runtime/cgroup-update.ts');
      const { findRunning } = await import('../../runtime/containers.ts');
      const { saveSpec } = await import('../../runtime/state.ts');
      const { resourcesFrom } = await import('../resource-flags.ts');
      const change = resourcesFrom(flags);
      if (Object.keys(change).length === 0)
        throw new Error('tslab update: it takes a limit, such as --memory');
      for (const state of names.map(findRunning)) {
        const { spec } = state;
        const resources = update(directoriesOf(state), probe(spec), change, spec.linux?.resources);
        saveSpec(state, { ...spec, linux: { ...spec.linux, resources } });
      }
    });
};
