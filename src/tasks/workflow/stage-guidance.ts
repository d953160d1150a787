/** The stage between setup and Codex that gives a pull request's checkout its base branch's guidance. */
import type { Authorization } from '../../core/authorization.ts';
import { scriptCommand } from '../../core/checkout.ts';
import { describeGuidance, guidanceJob, guidanceResultSchema } from '../../core/ask/guidance.ts';
import { reasonOf } from '../../core/reason.ts';
import { taskLimits } from '../limits.ts';
import { mergeKept } from './kept-merge.ts';
import { lastJsonLine } from './last-json-line.ts';
import { unlessLost } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';

/** Returns what the prompt says about it; empty if there is nothing to say. */
export async function layGuidance(
  { baseSha, guidanceSha }: Authorization,
  { sandbox, record, log }: TaskDeps,
): Promise<Stage<string>> {
  if (guidanceSha === null || guidanceSha === baseSha) return { go: true, value: '' };
  return await unlessLost(async () => {
    const job = '/run/airlock/jobs/guidance.json';
    // In a merge the base branch's own changes are in the checkout already, and stay.
    const head = (await mergeKept(record))?.merge.tree ?? baseSha;
    await sandbox.writeFile(job, JSON.stringify(guidanceJob({ head, base: guidanceSha })));
    const argv = scriptCommand('guidance', job);
    const run = await sandbox.exec({ argv }, { timeoutMs: taskLimits.guidanceMs, maxOutputBytes: 65_536 });
    const result = guidanceResultSchema.safeParse(lastJsonLine(run));
    if (result.success && result.data.ok) return { go: true, value: describeGuidance(result.data) };
    log('guidance.failed', { result: result.data ?? null, stderr: run.stderr.slice(-500) });
    const reason = reasonOf('guidance-failed');
    return { go: false, outcome: { kind: 'failed', reason, changeKept: false } };
  });
}
