/** What a step of the set-up answers when it cannot be done: what happened, and what to do next. */
import type { Finding } from '../../src/core/finding.ts';
import type { RepositoryRef } from '../../src/core/task.ts';

export interface Refusal {
  readonly problem: string;
  readonly remedy: string;
}

export const refuse = (problem: string, remedy: string): Refusal => ({ problem, remedy });

/** The first failed check of the doctor; null if none failed. */
export function refusalIn(findings: readonly Finding[]): Refusal | null {
  const failed = findings.find(({ status }) => status === 'fail');
  if (failed === undefined) return null;
  const problem = /^[A-Z_]+$/.test(failed.id) ? `${failed.id} ${failed.found}` : failed.found;
  return refuse(
    `${problem.slice(0, 1).toUpperCase()}${problem.slice(1)}`,
    failed.todo ?? 'Correct it, and try again.',
  );
}

export const nameOf = ({ owner, name }: RepositoryRef): string => `${owner}/${name}`;
