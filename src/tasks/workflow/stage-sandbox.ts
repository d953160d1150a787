/** The stages in the sandbox until Codex has ended: start it, clone, start Codex, look for its end. */
import { cloneJob, cloneMayRecover, cloneResultSchema, scriptCommand } from '../../core/checkout.ts';
import type { Authorization } from '../../core/authorization.ts';
import { describeAttachments, type HandedOver } from '../../core/attachments/describe.ts';
import { guidanceRefspec } from '../../core/ask/guidance.ts';
import { describeMerge } from '../../core/ask/prompt-merge.ts';
import { describeSetup } from '../../core/ask/prompt-setup.ts';
import type { MergeParents } from '../../core/merge.ts';
import type { SandboxPolicy } from '../../core/policy.ts';
import {
  SandboxBusyError,
  SandboxLostError,
  SandboxNotInterceptedError,
  SandboxUnavailableError,
  SandboxUnsupportedError,
} from '../../core/ports/sandbox-port.ts';
import { UpstreamError } from '../../core/ports/upstream-error.ts';
import { reasonOf } from '../../core/reason.ts';
import type { TaskOutcome } from '../../core/task.ts';
import { threadToResume } from './conversation.ts';
import type { ReadContext } from './stage-intake.ts';
import { mergeKept } from './kept-merge.ts';
import { lastJsonLine } from './last-json-line.ts';
import { taskLimits } from '../limits.ts';
import { codexRun } from '../run-names.ts';
import { setupReport } from '../setup-report.ts';
import type { Stage, TaskDeps } from './stage.ts';

const jobs = '/run/airlock/jobs';

/** `busy`: no room for a sandbox. `unavailable`: the platform aborted the start; a retry can succeed. */
export async function startSandbox(
  machine: SandboxPolicy,
  { sandbox, record, log }: TaskDeps,
): Promise<Stage<'started' | 'busy' | 'unavailable'>> {
  return await unlessLost<'started' | 'busy' | 'unavailable'>(async () => {
    try {
      await sandbox.start({ ...taskLimits.sandbox, ...machine });
      return { go: true, value: 'started' };
    } catch (error) {
      if (error instanceof SandboxBusyError) {
        await record.appendToLog({ kind: 'note', text: 'Waiting for a free sandbox.' });
        return { go: true, value: 'busy' };
      }
      if (error instanceof SandboxNotInterceptedError) {
        log('sandbox.not_intercepted', { error: error.message });
        return failed('sandbox-not-intercepted');
      }
      if (error instanceof SandboxUnsupportedError) {
        log('sandbox.unsupported', { error: error.message });
        return failed('sandbox-unsupported');
      }
      if (!(error instanceof SandboxUnavailableError)) throw error;
      log('sandbox.unavailable', { error: String(error) });
      return { go: true, value: 'unavailable' };
    }
  });
}

export async function cloneRepository(
  { facts, policy, baseSha, baseBranch, guidanceSha, pull }: Authorization,
  merge: MergeParents | null,
  { sandbox, log }: TaskDeps,
): Promise<Stage<null>> {
  return await unlessLost(async () => {
    const { owner, name } = facts;
    const merged =
      merge === null || pull === null
        ? []
        : [
            `+${merge.theirs}:refs/remotes/origin/${pull.baseBranch}`,
            `+${merge.ancestor}:refs/airlock/merge-base`,
          ];
    const also = [...(guidanceSha === null ? [] : [guidanceRefspec(guidanceSha)]), ...merged];
    const job = cloneJob({ owner, name, sha: baseSha, branch: baseBranch, lfs: policy.lfs, also });
    await sandbox.writeFile(`${jobs}/clone.json`, JSON.stringify(job));
    const argv = scriptCommand('clone', `${jobs}/clone.json`);
    const result = await sandbox.exec({ argv }, { timeoutMs: taskLimits.cloneMs, maxOutputBytes: 65_536 });
    const report = cloneResultSchema.safeParse(lastJsonLine(result));
    if (report.success && report.data.ok && report.data.sha === baseSha) return { go: true, value: null };
    log('clone.failed', { report: report.success ? report.data : null, stderr: result.stderr.slice(-500) });
    if (!report.success || report.data.ok) throw new Error('the clone did not report');
    const { code, error } = report.data;
    const values = { repository: `${owner}/${name}`, error: error.replace(/\.$/, '') };
    const reason = reasonOf(`clone-${code}`, values);
    if (code === 'unreachable') throw new UpstreamError({ kind: 'transient', waitMs: null, reason });
    if (cloneMayRecover(report.data)) throw new Error('the clone failed');
    return { go: false, outcome: { kind: 'failed', reason, changeKept: false } };
  });
}

export async function startCodex(
  { prompt, earlierTurn, isQuestion }: Omit<ReadContext, 'attachments'>,
  handed: HandedOver,
  { model, effort, pull }: Authorization,
  deps: TaskDeps,
): Promise<Stage<null>> {
  const { sandbox, record, codex } = deps;
  return await unlessLost(async () => {
    const setup = describeSetup(await setupReport(deps));
    const begun = await mergeKept(record);
    const names = { ours: pull?.headRef ?? '', theirs: pull?.baseBranch ?? '' };
    const merge = begun === null ? '' : describeMerge(begun.conflicts, names);
    const told = [prompt, describeAttachments(handed, prompt), merge, setup]
      .filter((part) => part !== '')
      .join('\n\n');
    const images = handed.files.filter(({ kind }) => kind === 'image').map(({ path }) => path);
    const resume = earlierTurn === null ? null : await threadToResume(earlierTurn, told, deps);
    const job = { prompt: told, model, effort, images, isQuestion };
    const { files, command } = codex.invocation(resume === null ? job : { ...job, resume });
    for (const file of files) await sandbox.writeFile(file.path, file.content);
    await sandbox.startRun(codexRun, command);
    await record.watchRun('codex');
    return { go: true, value: null };
  });
}

/** null while Codex works. The record watches its run and enforces its deadline. */
export async function agentEnded({ record }: TaskDeps): Promise<Stage<true | null>> {
  const snapshot = await record.snapshot();
  // The record gave the task up.
  if (snapshot?.outcome != null) return { go: false, outcome: snapshot.outcome };
  return { go: true, value: snapshot?.agentEnd == null ? null : true };
}

/** Ends the task if its sandbox is lost. That is not retried: what the sandbox held is gone. */
export async function unlessLost<T>(work: () => Promise<Stage<T>>): Promise<Stage<T>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SandboxLostError) return { go: false, outcome: lostOutcome };
    throw error;
  }
}

const failed = (code: 'sandbox-not-intercepted' | 'sandbox-unsupported'): Stage<never> => ({
  go: false,
  outcome: { kind: 'failed', reason: reasonOf(code), changeKept: false },
});

export const lostOutcome: TaskOutcome = {
  kind: 'failed',
  reason: reasonOf('sandbox-lost'),
  changeKept: false,
};
