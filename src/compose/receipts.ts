/** Wires the events about receipt checks: the configuration, the records of tasks, GitHub. */
import { mayWriteChecks } from '../github/receipt-checks.ts';
import type { ReceiptEvent } from '../github/receipt-event.ts';
import { onReceiptEvent } from '../github/receipt-intake.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { ask, recordOf } from './objects.ts';
import { now } from './runtime.ts';

/** An account's permissions rarely change, and each push to a pull request asks for them. Milliseconds. */
const permissionMs = 5 * 60_000;

export function composeReceipts(env: Env): (event: ReceiptEvent) => Promise<string> {
  const { github, policy } = baseOf(env);
  const known = new Map<number, { readonly at: number; readonly mayWrite: boolean }>();
  return async (event) =>
    await onReceiptEvent(event, {
      ...github,
      ruleOf: (place) => {
        const found = policy.forRepository(place);
        return found.allowed ? found.approval : null;
      },
      mayWrite: async (place) => {
        const cached = known.get(place.installationId);
        if (cached !== undefined && now() - cached.at < permissionMs) return cached.mayWrite;
        const mayWrite = await mayWriteChecks(github, place);
        known.set(place.installationId, { at: now(), mayWrite });
        return mayWrite;
      },
      askedBy: async (taskId, repositoryId) => {
        const snapshot = await ask('asking who asked', async () => await recordOf(env, taskId).snapshot());
        const authorization = snapshot?.authorization ?? null;
        if (snapshot === null || authorization?.facts.repositoryId !== repositoryId) return null;
        const asked = { request: snapshot.request, account: authorization.requester };
        return { asked, rule: authorization.policy.approval };
      },
    });
}
