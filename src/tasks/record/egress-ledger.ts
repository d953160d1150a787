/** A sandbox's requests: against the budgets, in the receipt (`egress/receipt.ts`), in the log. Pure. */
import { addUsage, type EgressEntry, type Receipt, type TokenUsage } from '../../core/grant.ts';
import type { TaskEventBody } from '../../core/task-view.ts';
import type { RecordState } from './record-state.ts';

export function countRequest(state: RecordState): RecordState {
  return { ...state, used: { ...state.used, requests: state.used.requests + 1 } };
}

export interface Entered {
  readonly state: RecordState;
  readonly receipt: Receipt;
  readonly events: readonly { readonly body: TaskEventBody; readonly at?: number }[];
  /** For the operator's log; null for entries that are not logged. */
  readonly logged: { readonly event: string; readonly fields: Record<string, unknown> } | null;
}

/** `addToReceipt` returns the same receipt for entries that it does not show. */
export function enterEgress(
  before: { readonly state: RecordState; readonly receipt: Receipt },
  { entry, tokens }: { readonly entry: EgressEntry; readonly tokens: TokenUsage },
  addToReceipt: (receipt: Receipt, entry: EgressEntry) => Receipt,
  now: number,
): Entered {
  const { used, usage, allowed, modelAt } = before.state;
  const isFirstModelRequest =
    entry.verdict === 'allowed' && entry.rule === 'openai.responses' && modelAt === null;
  const isCounted = entry.verdict === 'allowed' && !entry.rule.startsWith('canary');
  const state: RecordState =
    !isCounted && tokens.totalTokens + entry.bytesUp + entry.bytesDown === 0
      ? before.state
      : {
          ...before.state,
          allowed: allowed + (isCounted ? 1 : 0),
          modelAt: isFirstModelRequest ? entry.at : modelAt,
          usage: addUsage(usage, tokens),
          refusal: entry.rule === 'openai.responses' ? (entry.refusal ?? null) : before.state.refusal,
          used: {
            requests: used.requests,
            bytesUp: used.bytesUp + entry.bytesUp,
            bytesDown: used.bytesDown + entry.bytesDown,
          },
        };
  const receipt = addToReceipt(before.receipt, entry);
  const isShown = receipt !== before.receipt;
  const { method, host, path, rule, reason, status, bytesUp, bytesDown } = entry;
  const { taskId } = before.state.request;
  switch (entry.verdict) {
    case 'allowed': {
      // The log names no path: the rule says what the request was allowed as.
      const fields = { taskId, method, host, rule, status, bytesUp, bytesDown, ms: now - entry.at };
      return {
        state,
        receipt,
        events: isFirstModelRequest ? [{ body: { kind: 'model.first-request' }, at: entry.at }] : [],
        logged: { event: 'egress.allowed', fields },
      };
    }
    case 'denied':
      if (!isShown) break;
      return {
        state,
        receipt,
        events: [{ body: { kind: 'egress.denied', method, host, path, reason } }],
        logged: { event: 'egress.denied', fields: { taskId, method, host, path, rule } },
      };
    case 'failed': {
      if (!isShown) break;
      const { fault } = entry;
      const fields = { taskId, method, host, rule, fault, status, bytesUp, bytesDown };
      return {
        state,
        receipt,
        events: [{ body: { kind: 'egress.failed', method, host, path, fault, reason } }],
        logged: { event: 'egress.failed', fields },
      };
    }
  }
  return { state, receipt, events: [], logged: null };
}
