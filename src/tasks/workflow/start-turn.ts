/** From the clone to a turn of Codex: the conflicts to resolve, guidance, what people attached, the start. */
import type { WorkflowStep } from 'cloudflare:workers';
import type { Authorization } from '../../core/authorization.ts';
import type { MergeParents } from '../../core/merge.ts';
import type { RoutedRequest } from '../../core/task.ts';
import { handAttachmentsOver, nothingAttached } from './stage-attachments.ts';
import { layGuidance } from './stage-guidance.ts';
import type { ReadContext } from './stage-intake.ts';
import { beginMerge } from './stage-merge.ts';
import { startCodex } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { retryBriefly, runnerOf, stepOf } from './step-runner.ts';

export interface TurnInput {
  readonly request: RoutedRequest;
  readonly authorization: Authorization;
  readonly context: ReadContext;
  /** null: it resolves no conflicts. */
  readonly merging: MergeParents | null;
}

export async function startTurn(
  { request, authorization, context, merging }: TurnInput,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<null>> {
  const run = runnerOf(step, deps);

  if (merging !== null) {
    const begun = await run('codex', retryBriefly, () => beginMerge(merging, authorization, deps));
    if (!begun.go) return begun;
  }

  const guided = await run('codex', retryBriefly, () => layGuidance(authorization, deps));
  if (!guided.go) return guided;

  const { attachments } = context;
  const handOver = () => handAttachmentsOver(attachments, request, authorization, deps);
  const handed =
    attachments.length === 0
      ? ({ go: true, value: nothingAttached } as const)
      : await stepOf(step, 'attachments', retryBriefly, handOver, deps);
  if (!handed.go) return handed;

  return await run('codex', retryBriefly, () =>
    startCodex({ ...context, prompt: `${context.prompt}${guided.value}` }, handed.value, authorization, deps),
  );
}
