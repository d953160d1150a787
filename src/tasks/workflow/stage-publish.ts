/** Collects the change, keeps it before anything is tried, passes it through the gate, publishes. */
import { collectJob, type ChangeSet } from '../../core/change-set.ts';
import { attemptsIn, needsCaution } from '../../core/attempts.ts';
import { diskReserve, sandboxPaths, scriptCommand } from '../../core/checkout.ts';
import type { GateInput } from '../../core/ports/publication.ts';
import type { AgentEnd, Authorization } from '../../core/authorization.ts';
import type { PublishInput, ReceiptCheck } from '../../core/ports/publication.ts';
import { reasonOf } from '../../core/reason.ts';
import { Reported } from '../../core/reported.ts';
import type { SetupReport } from '../../core/setup.ts';
import type { Reason, RoutedRequest, TaskOutcome } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import { mergeRemarks, readKeptChange } from './kept-change.ts';
import { answerToPublish } from './conventions.ts';
import { mergeKept } from './kept-merge.ts';
import { keptContext, keptContextSchema } from './stage-intake.ts';
import { lostOutcome, unlessLost } from './stage-sandbox.ts';
import { keptChange } from '../run-names.ts';
import { setupFailure, setupReport } from '../setup-report.ts';
import { failureOf, runFailureReason } from './run-failure.ts';
import { keepThread } from './conversation.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { accessLost, approverText } from './vouching.ts';

export async function collectChange(authorization: Authorization, deps: TaskDeps): Promise<Stage<null>> {
  const end = (await deps.record.snapshot())?.agentEnd ?? null;
  if (end?.kind === 'cancelled') return { go: false, outcome: { kind: 'cancelled', by: end.by } };
  if (end === null || end.kind === 'lost') return { go: false, outcome: lostOutcome };
  return await unlessLost(async () => {
    const lines = (await deps.record.kept(keptChange)) ?? (await collectLines(deps, authorization));
    if (lines === null) return { go: false, outcome: uncollectable };
    await deps.record.keep(keptChange, lines);
    await keepThread(deps);
    const merge = (await mergeKept(deps.record))?.merge ?? null;
    const parsed = deps.publication.parseChange(lines, merge?.tree ?? authorization.baseSha);
    if (!parsed.ok)
      return { go: false, outcome: { kind: 'failed', reason: parsed.reason, changeKept: false } };
    const { files } = parsed.change;
    // A merge is published also if each of its files is as on one side.
    if (files.length > 0 || merge !== null) return { go: true, value: null };
    await deps.record.learn({ change: { files: 0, insertions: 0, deletions: 0 } });
    return { go: false, outcome: await nothingChanged(end, parsed.change, deps) };
  });
}

export async function gateChange(
  authorization: Authorization,
  deps: TaskDeps,
): Promise<Stage<{ remarks: string[] }>> {
  const { lines, change } = await readKeptChange(authorization, deps);
  const { insertions, deletions } = change.measure;
  await deps.record.learn({ change: { files: change.files.length, insertions, deletions } });
  const changeHash = await deps.publication.changeHash(lines);
  const [snapshot, view] = await Promise.all([deps.record.snapshot(), deps.record.view()]);
  if (snapshot === null) throw new Error('the record of this task is gone');
  const { request } = snapshot;
  // An approval counts only for the change that the person saw.
  const approval = snapshot.approval?.changeHash === changeHash ? snapshot.approval : null;
  const approver =
    approval === null ? null : approverText(approval, { request, account: authorization.requester });
  const problem = change.measure.merge?.problem ?? null;
  if (problem !== null) {
    const reason = reasonOf('merge-unresolved', { problem });
    return { go: false, outcome: { kind: 'failed', reason, changeKept: false } };
  }
  const input: GateInput = {
    change,
    words: (await answerToPublish(request, change, view?.progress ?? deps.codex.initialProgress, deps))
      .answer,
    policy: authorization.policy.gate,
  };
  const verdict = deps.publication.gate(input, approver);
  const hold = (reason: Reason, approvable: boolean): Stage<never> => ({
    go: false,
    outcome: {
      kind: 'held',
      reason,
      changeHash: approvable ? changeHash : null,
      patch: change.measure.patch,
      ...(authorization.policy.approval === 'second-person' ? { secondPerson: true } : {}),
    },
  });
  if (verdict.kind === 'hold') return hold(verdict.reason, verdict.approvable);
  const lost = await accessLost(request, authorization, approval, deps);
  if (lost !== null) return hold(lost, true);
  // The gate names the approver where it held something itself.
  const isNamed = approver === null || deps.publication.gate(input, null).kind === 'hold';
  return {
    go: true,
    value: {
      remarks: [
        ...(isNamed ? [] : [`${approver} approved this change, because the person who asked lost access.`]),
        ...(await mergeRemarks(change, deps)),
        ...(verdict.kind === 'mark' ? verdict.remarks : []),
      ],
    },
  };
}

interface Published {
  readonly outcome: TaskOutcome;
  /** null: nothing was published. */
  readonly check: ReceiptCheck | null;
}

export async function publishChange(
  input: {
    request: RoutedRequest;
    authorization: Authorization;
    gateRemarks: readonly string[];
  },
  deps: TaskDeps,
): Promise<Stage<Published>> {
  const { request, authorization, gateRemarks } = input;
  const [view, snapshot, context, setup] = await Promise.all([
    deps.record.view(),
    deps.record.snapshot(),
    deps.record.kept(keptContext),
    setupReport(deps),
  ]);
  const end = snapshot?.agentEnd ?? null;
  if (view === null || end === null) throw new Error('the record has no run to publish from');
  const { receipt, phases } = view;
  // A run that ended without a line of output has no progress.
  const progress = view.progress ?? deps.codex.initialProgress;
  const { commands, commandsTotal } = progress;
  const failure = failureOf(end, progress, snapshot?.refusal ?? null);
  const { pull, continues, readOnly } = authorization;
  const where = pull !== null && readOnly !== null ? 'patch' : continues === null ? 'draft' : 'commit';
  const early = failure === null ? [] : [`${failure} What was done until then is in this ${where}.`];
  const remarks = [...early, ...setupRemarks(setup), ...gateRemarks];
  const commentsLeftOut = context === null ? 0 : keptContextSchema.parse(JSON.parse(context)).commentsLeftOut;
  const enteredAt = phases.find((entered) => entered.phase === 'publish')?.at ?? deps.now();
  const { trigger } = request;
  const fromSlack = trigger.kind === 'slack' ? trigger : null;
  const { change } = await readKeptChange(authorization, deps);
  const { answer, template } = await answerToPublish(request, change, progress, deps);
  const leftOut = leftOutOf(change, deps);
  const { summary } = answer;
  const { patch } = change.measure;
  const asPatch = (reason: Reason): Stage<Published> => ({
    go: true,
    value: { outcome: { kind: 'patch', reason, patch, summary, remarks, ...leftOut }, check: null },
  });
  if (readOnly !== null) return asPatch(reasonOf('read-only', { why: readOnly }));
  const wanted: PublishInput = {
    ...authorization,
    // For a task from Slack, only the authorization knows the requester's GitHub account.
    request: { ...request, requester: authorization.requester },
    change,
    answer,
    template,
    draft: authorization.policy.draft || remarks.length > 0 || needsCaution(attemptsIn(receipt)),
    remarks,
    complete: failure === null,
    reviewer: authorization.requester?.login ?? null,
    evidence: {
      usage: view.usage,
      reported: new Reported({ commands, commandsTotal, setup }),
      receipt,
      commentsLeftOut,
      elapsedMs: enteredAt - Date.parse(request.acceptedAt),
      taskUrl: deps.taskUrl(request.taskId),
      conversationUrl:
        fromSlack !== null && authorization.facts.private
          ? ((await deps.chat?.permalink(fromSlack)) ?? null)
          : null,
      added: view.remarks,
      askedUrl: deps.askedUrl(request),
      costUsd: view.costUsd,
    },
  };
  const result = await deps.publication.publish(wanted);
  if (result.kind === 'unwritten') return asPatch(result.reason);
  const { kind } = result;
  if (kind === 'outdated')
    return { go: false, outcome: { kind: 'failed', reason: result.reason, changeKept: false } };
  if (kind === 'rejected')
    return { go: false, outcome: { kind: 'failed', reason: result.reason, changeKept: true, patch } };
  const { pullRequest, added, report } = result;
  return {
    go: true,
    value: {
      outcome: {
        kind: 'pull-request',
        pullRequest,
        ...(added === null ? {} : { added: true }),
        ...(added === null || report === undefined
          ? {}
          : { commit: { sha: added, summary, remarks, report } }),
        ...leftOut,
      },
      check: deps.publication.receiptCheck(wanted, result),
    },
  };
}

const uncollectable: TaskOutcome = {
  kind: 'failed',
  reason: reasonOf('change-too-large.slow'),
  changeKept: false,
};

/** The collector's output; null if it is too large or does not end in time. */
export async function collectLines(
  deps: TaskDeps,
  { baseSha, policy }: Pick<Authorization, 'baseSha' | 'policy'>,
): Promise<string | null> {
  const { sandbox, now } = deps;
  const merge = (await mergeKept(deps.record))?.merge;
  const pathsLeftBySetup = (await setupReport(deps))?.pathsLeftBySetup.paths ?? [];
  const job = '/run/airlock/jobs/collect.json';
  const text = JSON.stringify(collectJob(merge?.tree ?? baseSha, { pathsLeftBySetup, lfs: policy.lfs }));
  await sandbox.writeFile(job, text).catch(async () => {
    // The disk may be full. What the clone reserved makes room.
    const argv = ['rm', '-f', `${sandboxPaths.objectStore}/${diskReserve}`];
    await sandbox.exec({ argv, withoutProcessLimit: true }, { timeoutMs: 10_000, maxOutputBytes: 1000 });
    await sandbox.writeFile(job, text);
  });
  await sandbox.startRun('collect', { argv: scriptCommand('collect', job), withoutProcessLimit: true });
  const decoder = new TextDecoder();
  const parts: string[] = [];
  const until = now() + taskLimits.collectMs;
  for (let offset = 0; ;) {
    const chunk = await sandbox.readRun('collect', { offset, maxBytes: 1024 * 1024, waitMs: 5_000 });
    offset += chunk.bytes.byteLength;
    parts.push(decoder.decode(chunk.bytes, { stream: true }));
    if (offset > taskLimits.changeBytes || now() > until) return null;
    if (chunk.exitCode !== null && offset >= chunk.size) return parts.join('') + decoder.decode();
  }
}

function setupRemarks(setup: SetupReport | null): string[] {
  if (setup === null) return [];
  const failure = setup.status === 'ok' ? [] : [`${setupFailure(setup)} Codex worked without it.`];
  const unnamed = setup.pathsLeftBySetup.total - setup.pathsLeftBySetup.paths.length;
  const left =
    unnamed > 0
      ? [
          `Setup left ${setup.pathsLeftBySetup.total} new files and folders that no .gitignore names, more than Airlock can list. ${unnamed} of them may be part of this change: look for them in the diff.`,
        ]
      : [];
  return [...failure, ...left];
}

/** Nothing was published: because nothing was changed, or because all of it was left out. */
async function nothingChanged(end: AgentEnd, change: ChangeSet, deps: TaskDeps): Promise<TaskOutcome> {
  const [view, snapshot] = await Promise.all([deps.record.view(), deps.record.snapshot()]);
  const progress = view?.progress ?? null;
  const failure = failureOf(end, progress, snapshot?.refusal ?? null);
  const leftOut = leftOutOf(change, deps);
  if (failure !== null) {
    const reason = runFailureReason(end, `${failure} ${leftOut.leftOut ?? 'Nothing was changed.'}`);
    return { kind: 'failed', reason, changeKept: false };
  }
  const summary = progress === null ? '' : deps.codex.answer(progress).summary;
  return { kind: 'no-change', summary, ...leftOut };
}

function leftOutOf(change: ChangeSet, { publication }: TaskDeps): { leftOut?: string } {
  const leftOut = publication.leftOut(change);
  return leftOut === null ? {} : { leftOut };
}
