/** What people see of setup in the post. The pull request says more: `publish/pull-request-text.ts`. */
import type { SetupPolicy } from './policy.ts';
import type { SetupReport } from './setup.ts';
import { durationText } from './task-words.ts';

export type SetupView =
  /** No setup is configured. */
  | { readonly status: 'none' }
  | {
      readonly status: SetupReport['status'];
      /** Null: killed at its time limit. */
      readonly exitCode: number | null;
      readonly durationMs: number;
      /** True: it started from the cache's content. */
      readonly fromCache: boolean;
      /** Why an entry of the cache was refused; inert text. Null if none was. */
      readonly cacheRefused: string | null;
      /** True: Codex works even if setup failed. */
      readonly optional: boolean;
    };

/** Null while setup has not ended. `policy`: null where no setup is configured. */
export function setupView(policy: SetupPolicy | null, report: SetupReport | null): SetupView | null {
  if (policy === null) return { status: 'none' };
  if (report === null) return null;
  const { status, exitCode, durationMs, fromCache, cacheRefused } = report;
  return { status, exitCode, durationMs, fromCache, cacheRefused, optional: policy.optional };
}

/** One line for the refused entry, of inert text. */
export const cacheRefusedText = (reason: string): string =>
  `⚠️ The setup cache entry was refused: ${reason}. It is not used.`;

/** One or two lines without untrusted text. Empty if the task's outcome says it. */
export function setupLine(setup: SetupView | null): string {
  if (setup === null || setup.status === 'none') return '';
  const { cacheRefused } = setup;
  return [endLine(setup), cacheRefused === null ? '' : cacheRefusedText(cacheRefused)]
    .filter((line) => line !== '')
    .join('\n');
}

function endLine(setup: Exclude<SetupView, { status: 'none' }>): string {
  const { status, exitCode, durationMs, fromCache, optional } = setup;
  const duration = durationText(durationMs);
  if (status === 'ok')
    return `Dependencies were installed in ${duration}${fromCache ? ', starting from the cache' : ''}`;
  if (!optional) return '';
  const how =
    status === 'timed-out' ? 'was stopped at its time limit' : `ended with exit status ${String(exitCode)}`;
  return `⚠️ Dependencies may be missing: setup ${how} after ${duration}`;
}
