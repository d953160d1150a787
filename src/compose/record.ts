/** Wires a task's record to its adapters. */
import { addToReceipt } from '../egress/receipt.ts';
import { createCodeHost } from '../github/code-host.ts';
import { foldedComment, progressComment } from '../github/comments.ts';
import { createNotifier } from '../tasks/record/notifier.ts';
import type { RecordDeps } from '../tasks/record/record.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { reportTotals } from './metrics.ts';
import { createInstance, instanceState, ledgerOf, slotsOf, wakeInstance } from './objects.ts';
import { platformOf } from './platform.ts';
import { log, now } from './runtime.ts';

export function composeRecord(env: Env): RecordDeps {
  const { codex, github, chat, index, costOf, retentionMs, tokens, taskUrl } = baseOf(env);
  return {
    sandboxes: platformOf(env).sandboxes(),
    slots: slotsOf(env),
    codex,
    notifier: createNotifier({
      codeHost: createCodeHost(github),
      renderComment: (view) => progressComment(view, taskUrl(view.taskId)),
      renderFolded: (view, end) => foldedComment(view, end, taskUrl(view.taskId)),
      chat,
      index,
    }),
    costOf,
    addToReceipt,
    wakeWorkflow: async (instanceId) => await wakeInstance(env, instanceId),
    workflowState: async (instanceId) => await instanceState(env, instanceId),
    startWorkflow: async (request, attempts) => {
      await createInstance(env, request, attempts);
      log('workflow.created', { taskId: request.taskId });
    },
    forgetTokens: async (taskId) => await tokens.forget(taskId),
    report: async (totals, entry) => {
      const { taskId } = entry;
      await Promise.all([reportTotals(env, taskId, totals), ledgerOf(env).report(entry, now())]);
    },
    retentionMs,
    now,
    log,
  };
}
