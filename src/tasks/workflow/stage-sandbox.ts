/**
 * The stages in the sandbox until Codex has ended: start it, prove that it is sealed, clone, start Codex,
 * look for its end.
 */
import { cloneJob, cloneMayRecover, cloneResultSchema, sandboxPaths } from '../../core/checkout.ts';
import type { Authorization } from '../../core/authorization.ts';
import { describeSetup } from '../../core/ask/prompt-setup.ts';
import {
  SandboxBusyError,
  SandboxLostError,
  SandboxUnavailableError,
} from '../../core/ports/sandbox-port.ts';
import * as z from 'zod';
import type { TaskOutcome } from '../../core/task.ts';
import { lastJsonLine } from './last-json-line.ts';
import { taskLimits } from '../limits.ts';
import { codexRun } from '../run-names.ts';
import { setupReport } from '../setup-report.ts';
import type { Stage, TaskDeps } from './stage.ts';

const node = '/opt/node/bin/node';
const jobs = '/run/airlock/jobs';

/**
 * `busy`: there is no room for another sandbox now. `unavailable`: the platform aborted the start; a retry
 * can succeed.
 */
export async function startSandbox({
  sandbox,
  record,
  log,
}: TaskDeps): Promise<Stage<'started' | 'busy' | 'unavailable'>> {
  return await unlessLost(async () => {
    try {
      await sandbox.start(taskLimits.sandbox);
      return { go: true, value: 'started' };
    } catch (error) {
      if (error instanceof SandboxBusyError) {
        await record.appendToLog({ kind: 'note', text: 'Waiting for a free sandbox.' });
        return { go: true, value: 'busy' };
      }
      if (!(error instanceof SandboxUnavailableError)) throw error;
      log('sandbox.unavailable', { error: String(error) });
      return { go: true, value: 'unavailable' };
    }
  });
}

const canaryReport = z.object({
  probes: z
    .array(z.object({ name: z.string().max(100), ok: z.boolean(), got: z.string().max(300) }))
    .min(1)
    .max(50),
});

/**
 * The probes of the canary that failed; one of its own if there is no report. Rejects if the canary times out:
 * on a busy machine that says nothing about the seal, so the step tries again.
 */
export async function runCanary(
  sandbox: TaskDeps['sandbox'],
  nonce: string,
): Promise<readonly { readonly name: string; readonly got: string }[]> {
  const argv = [node, `${sandboxPaths.scripts}/canary.js`, nonce];
  const result = await sandbox.exec({ argv }, { timeoutMs: taskLimits.canaryMs, maxOutputBytes: 32_768 });
  const report = canaryReport.safeParse(lastJsonLine(result));
  const failed = report.success ? report.data.probes.filter((probe) => !probe.ok) : [];
  if (failed.length > 0) return failed.map(({ name, got }) => ({ name, got }));
  if (result.timedOut) throw new Error(`the canary did not end within ${taskLimits.canaryMs / 1000} s`);
  return report.success && result.exitCode === 0 ? [] : [{ name: 'canary', got: 'no report' }];
}

/**
 * Proves from inside, before anything untrusted runs, that the sandbox is sealed and that this task's handler
 * answers.
 */
export async function proveSealed({ sandbox, record, log }: TaskDeps): Promise<Stage<null>> {
  return await unlessLost(async () => {
    const failed = await runCanary(sandbox, (await record.snapshot())?.canaryNonce ?? '');
    if (failed.length === 0) return { go: true, value: null };
    log('canary.failed', { failed });
    const message = `The sandbox is not sealed as it has to be (${failed.map((probe) => probe.name).join(', ')}); nothing was run in it. The operator’s log says what each probe got.`;
    return {
      go: false,
      outcome: { kind: 'failed', reason: { code: 'not-sealed', message }, changeKept: false },
    };
  });
}

export async function cloneRepository(
  { facts, policy, baseSha, baseBranch }: Authorization,
  { sandbox, log }: TaskDeps,
): Promise<Stage<null>> {
  return await unlessLost(async () => {
    const { owner, name } = facts;
    const job = cloneJob({ owner, name, sha: baseSha, branch: baseBranch, lfs: policy.lfs });
    await sandbox.writeFile(`${jobs}/clone.json`, JSON.stringify(job));
    const argv = [node, `${sandboxPaths.scripts}/clone.js`, `${jobs}/clone.json`];
    const result = await sandbox.exec({ argv }, { timeoutMs: taskLimits.cloneMs, maxOutputBytes: 65_536 });
    const report = cloneResultSchema.safeParse(lastJsonLine(result));
    if (report.success && report.data.ok && report.data.sha === baseSha) return { go: true, value: null };
    log('clone.failed', { report: report.success ? report.data : null, stderr: result.stderr.slice(-500) });
    if (!report.success || report.data.ok || cloneMayRecover(report.data))
      throw new Error('the clone failed');
    const message = `${owner}/${name} could not be cloned: ${report.data.error}`;
    return {
      go: false,
      outcome: { kind: 'failed', reason: { code: `clone.${report.data.code}`, message }, changeKept: false },
    };
  });
}

export async function startCodex(
  prompt: string,
  { model, effort }: Authorization,
  deps: TaskDeps,
): Promise<Stage<null>> {
  const { sandbox, record, codex } = deps;
  return await unlessLost(async () => {
    const told = `${prompt}\n\n${describeSetup(await setupReport(deps))}`;
    const { files, command } = codex.invocation({ prompt: told, model, effort });
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

export const lostOutcome: TaskOutcome = {
  kind: 'failed',
  reason: {
    code: 'sandbox-lost',
    message:
      'The sandbox was lost while the task ran (its machine was restarted or it went over its limits). Mention me again to start over.',
  },
  changeKept: false,
};
