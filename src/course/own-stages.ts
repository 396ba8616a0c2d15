/**
 * A learner's own stages in the real runtime: each file that has a lesson's name takes the place of that lesson's stage. Its
 * code runs where all learners' code runs (sandbox.ts), and never as root here; what it answers is validated. But its plan is
 * performed on this host, with its asker's rights: this is for one's own work, and no box stands around it.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stages as allStages } from '../../lessons/index.ts';
import { PlanError } from '../plan/error.ts';
import { type Policy, validateDrafts } from '../plan/validate.ts';
import type { Replace } from '../runtime/run.ts';
import type { Draft } from '../steps/stage.ts';
import { learner } from './learner.ts';
import { policyFor } from './policy.ts';
import { readStage } from './read-stage.ts';
import { evaluate } from './sandbox.ts';

/**
 * @param folder such as ~/tslab: `chroot.ts`, `pid.ts`.
 * @throws Error if there is none of these files; StageProblem, PlanError naming the file, for what is wrong with one.
 */
export function ownStages(folder: string): Replace {
  const files = new Map(
    allStages
      .map(({ id }) => [id, join(resolve(folder), `${id}.ts`)] as const)
      .filter(([, file]) => existsSync(file)),
  );
  if (files.size === 0)
    throw new Error(
      `stages of ${folder}: there is none of ${allStages.map(({ id }) => `${id}.ts`).join(', ')}; tslab exercise begins one`,
    );
  const who = learner();
  return async (stages = allStages, spec, facts, say) => {
    const sources = new Map([...files].map(([id, file]) => [id, readStage(file, who)] as const));
    const replaced = stages.map(async (stage) => {
      const [file, source] = [files.get(stage.id), sources.get(stage.id)];
      if (file === undefined || source === undefined) return stage;
      const { drafts, printed } = await evaluate(file, source, spec, facts);
      if (printed !== '') say(`${file}: ${printed.trimEnd()}`);
      demandValid(file, drafts, policyFor(spec, facts, stage.plan(spec, facts)));
      return { ...stage, plan: () => drafts as Draft[] };
    });
    // A cell that is still at work when we end would leave its folder.
    await Promise.allSettled(replaced);
    return await Promise.all(replaced);
  };
}

function demandValid(file: string, drafts: unknown, policy: Policy): void {
  try {
    validateDrafts(drafts, policy);
  } catch (error) {
    throw error instanceof PlanError ? new PlanError(`${file}: ${error.message}`) : error;
  }
}
