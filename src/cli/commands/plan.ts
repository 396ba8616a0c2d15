/** tslab plan: what `tslab run` with the same flags would do, step by step, without doing it. */
import type { Command } from 'commander';
import { addSpecFlags, type SpecFlags } from '../spec-flags.ts';
import { namesImage } from './run.ts';

interface PlanFlags extends SpecFlags {
  json?: boolean;
  out?: string;
}

export const command = (program: Command): void => {
  addSpecFlags(program.command('plan'))
    .description('print the steps that run would perform, each with its lesson and config field')
    .option('--json', 'as JSON')
    .option('--out <file>', 'for the launcher: native/build/launch --plan FILE performs it without Node')
    .action(async (args: string[], flags: PlanFlags) => {
      const { writeFileSync } = await import('node:fs');
      const { join } = await import('node:path');
      const { probe } = await import('../../facts/probe.ts');
      const { packageRoot } = await import('../../package-root.ts');
      const { encode } = await import('../../plan/encode.ts');
      const { withOwnCgroup } = await import('../../runtime/own-cgroup.ts');
      const { planFor } = await import('../../runtime/plan.ts');
      const { specFrom } = await import('../spec-from.ts');
      const { folderOf } = await import('../../runtime/containers.ts');
      const id = flags.name ?? 'plan';
      const { spec, stages } = namesImage(args, flags)
        ? (await (await import('../image-root.ts')).rootOfImage(args, flags))(folderOf(id))
        : specFrom(args, flags, flags.rootfs ?? join(packageRoot, 'dist/rootfs/default'));
      const facts = probe(spec);
      const plan = planFor(id, withOwnCgroup(id, spec, facts, stages), facts, stages);
      if (flags.out !== undefined) writeFileSync(flags.out, encode(plan));
      else if (flags.json) console.log(JSON.stringify(plan, undefined, 2));
      else await print(plan);
    });
};

async function print(plan: import('../../plan/step.ts').Plan): Promise<void> {
  const { explainCall, explainOrigin } = await import('../../plan/explain.ts');
  const { meaning } = await import('../../plan/meaning.ts');
  let phase = '';
  for (const [i, step] of plan.steps.entries()) {
    if (step.phase !== phase) console.log(`\n${step.phase}`);
    phase = step.phase;
    console.log(`${String(i + 1).padStart(3)} ${step.at.padEnd(5)} ${explainCall(step)}`);
    console.log(`          ${meaning(step).en}  [${explainOrigin(step)}]`);
  }
}
