/** Runs all checks at the same time, each within its own deadline, so that none that hangs hides another. */
import type { Finding } from '../core/finding.ts';
import { DeadlineError, withDeadline } from '../lib/with-deadline.ts';

export type Verdict = Pick<Finding, 'status' | 'found' | 'todo'>;

export interface Check {
  readonly id: string;
  /** Milliseconds, where the common deadline is too short. */
  readonly deadlineMs?: number;
  /** What a missed deadline means, where it is not a failure of the service. */
  readonly late?: Verdict;
  readonly run: () => Promise<Verdict>;
}

export const ok = (found: string): Verdict => ({ status: 'ok', found, todo: null });
export const warn = (found: string, todo: string): Verdict => ({ status: 'warn', found, todo });
export const fail = (found: string, todo: string): Verdict => ({ status: 'fail', found, todo });
/** `because`: what has to be fixed first. */
export const skip = (because: string): Verdict => ({
  status: 'skip',
  found: `not checked: ${because}`,
  todo: null,
});

/** Returns the findings in the same order, without `secrets`, whatever a service echoes. Never rejects. */
export async function runChecks(
  checks: readonly Check[],
  options: { readonly deadlineMs: number; readonly secrets: readonly string[] },
): Promise<readonly Finding[]> {
  return await Promise.all(
    checks.map(async ({ id, deadlineMs, late, run }) => {
      const startedAt = Date.now();
      const verdict = await withDeadline(run(), deadlineMs ?? options.deadlineMs, id).catch(
        (error: unknown) => (late !== undefined && error instanceof DeadlineError ? late : verdictOf(error)),
      );
      return {
        id,
        status: verdict.status,
        found: redact(verdict.found, options.secrets),
        todo: verdict.todo === null ? null : redact(verdict.todo, options.secrets),
        ms: Date.now() - startedAt,
      };
    }),
  );
}

function verdictOf(error: unknown): Verdict {
  if (error instanceof DeadlineError)
    return fail('no answer within the deadline', 'Check that the service is up and reachable from here.');
  const why = error instanceof Error ? error.message : 'unknown error';
  return fail(`could not be checked: ${why.slice(0, 300)}`, 'Check that the service is up and reachable.');
}

/** Shorter values are not secrets, and removing them would blank ordinary words. */
const shortestSecret = 8;

function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= shortestSecret)
    .reduce((clean, secret) => clean.replaceAll(secret, '[secret]'), text);
}

/** Runs `work` once, at the first call, because several checks read one answer. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return async () => await (made ??= work());
}
