/** What people are told of setup where they were told of the task. The pull request says more: `publish/pull-request-text.ts`. */
import type { SetupPolicy } from './policy.ts';
import type { SetupReport } from './setup.ts';
import { durationText } from './task-words.ts';

export type SetupView =
  /** None is configured. */
  | { readonly status: 'none' }
  | {
      readonly status: SetupReport['status'];
      /** null: it was killed at its time limit. */
      readonly exitCode: number | null;
      readonly durationMs: number;
      /** It began with what the cache had. */
      readonly fromCache: boolean;
      /** Codex works without it. */
      readonly optional: boolean;
    };

/** null as long as it is not over. `policy`: null where none is configured. */
export function setupView(policy: SetupPolicy | null, report: SetupReport | null): SetupView | null {
  if (policy === null) return { status: 'none' };
  if (report === null) return null;
  const { status, exitCode, durationMs, fromCache } = report;
  return { status, exitCode, durationMs, fromCache, optional: policy.optional };
}

/** One line without anything untrusted in it; '' when there is nothing to tell, or the task's end says it. */
export function setupLine(setup: SetupView | null): string {
  if (setup === null || setup.status === 'none') return '';
  const { status, exitCode, durationMs, fromCache, optional } = setup;
  const duration = durationText(durationMs);
  if (status === 'ok')
    return `Dependencies were installed in ${duration}${fromCache ? ', on top of what the cache had' : ''}`;
  if (!optional) return '';
  const how =
    status === 'timed-out' ? 'was ended at its time limit' : `ended with exit status ${String(exitCode)}`;
  return `⚠️ Dependencies may be missing: setup ${how} after ${duration}`;
}
