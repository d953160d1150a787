/**
 * `resolve the conflicts`: GitHub merges the base branch into the head if it can. Otherwise the sandbox
 * begins the merge after setup, and Codex resolves what is left.
 */
import { scriptCommand } from '../../core/checkout.ts';
import type { Authorization } from '../../core/authorization.ts';
import { mergeJob, mergeResultSchema, type MergeParents } from '../../core/merge.ts';
import { reasonOf } from '../../core/reason.ts';
import type { RoutedRequest } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import { keepMerge } from './kept-merge.ts';
import { saveReceiptCheck } from './save-receipt-check.ts';
import { lastJsonLine } from './last-json-line.ts';
import { unlessLost } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';

const jobFile = '/run/airlock/jobs/merge.json';

export const resolvesConflicts = ({ ask }: RoutedRequest): boolean =>
  ask.kind === 'run' && ask.job === 'resolve-conflicts';

/** null: nothing is to be merged. */
export async function mergeWithoutConflict(
  request: RoutedRequest,
  { facts, policy, pull }: Authorization,
  deps: TaskDeps,
): Promise<Stage<MergeParents | null>> {
  const { publication, log } = deps;
  if (!resolvesConflicts(request)) return { go: true, value: null };
  if (pull === null) throw new Error('conflicts are resolved in a pull request only');
  const merged = await publication.mergeCleanly({ request, facts, policy, pull });
  const [base, head] = [`\`${pull.baseBranch}\``, `\`${pull.headRef}\``];
  switch (merged.kind) {
    case 'merged': {
      const { taskId } = request;
      const check = publication.mergeCheck(merged.commit, pull.number);
      await saveReceiptCheck({ check, facts, taskId }, deps).catch((error: unknown) =>
        log('check.not_saved', { taskId, why: String(error) }),
      );
      return answered(`There was no conflict: I merged ${base} into ${head} as ${merged.commit}.`);
    }
    case 'contained':
      return answered(`There is no conflict: ${head} has everything that is on ${base}.`);
    case 'rejected':
      return { go: false, outcome: { kind: 'failed', reason: merged.reason, changeKept: false } };
    case 'conflict':
      return {
        go: true,
        value: { ours: pull.headSha, theirs: pull.baseSha, ancestor: merged.ancestor },
      };
  }
}

/** Begins the merge in the sandbox. Rejects while an attempt that overlaps has not ended. */
export async function beginMerge(
  parents: MergeParents | null,
  { pull }: Authorization,
  { sandbox, record, log }: TaskDeps,
): Promise<Stage<null>> {
  if (parents === null || pull === null) return { go: true, value: null };
  return await unlessLost(async () => {
    const job = mergeJob(parents, { ours: pull.headRef, theirs: pull.baseBranch });
    await sandbox.writeFile(jobFile, JSON.stringify(job));
    const limits = { timeoutMs: taskLimits.mergeMs, maxOutputBytes: 65_536 };
    const result = await sandbox.exec({ argv: scriptCommand('merge', jobFile) }, limits);
    const report = mergeResultSchema.safeParse(lastJsonLine(result));
    if (report.data?.ok === true) {
      const { tree, conflicts } = report.data;
      await keepMerge(record, { merge: { ...parents, tree }, conflicts });
      return { go: true, value: null };
    }
    log('merge.failed', { report: report.data ?? null, stderr: result.stderr.slice(-500) });
    if (report.data === undefined || report.data.busy) throw new Error('the merge did not begin');
    const values = { branch: `\`${pull.baseBranch}\``, error: report.data.error };
    const reason = reasonOf('merge-failed', values);
    return { go: false, outcome: { kind: 'failed', reason, changeKept: false } };
  });
}

const answered = (message: string): Stage<never> => ({ go: false, outcome: { kind: 'answered', message } });
