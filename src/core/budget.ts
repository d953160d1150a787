/**
 * Decides whether a task may still begin, within what its repository and its requester may spend in one
 * calendar month (UTC). Pure. What runs when a cap is reached finishes, within the limits of a task; the next
 * one is refused, also if it is a retry or a second round.
 */
import { usdText } from './cost.ts';
import type { Budget, BudgetCaps } from './policy.ts';
import { reasonOf } from './reason.ts';
import type { Reason } from './task.ts';

/** Sums over the tasks that were accepted in a month. */
export interface Spent {
  readonly tokens: number;
  /** US dollars, estimated by the prices of the configuration. */
  readonly dollars: number;
}

/** What tasks of one month have spent, by what caps are about. */
export interface MonthSpent {
  readonly everything: Spent;
  readonly repository: Spent;
  /** Null: the task has no requester that is a person. */
  readonly person: Spent | null;
  readonly personInRepository: Spent | null;
}

/** The first cap that is reached is the reason; null: the task may begin. `month`: `2026-11`. */
export function budgetRefusal(
  { all, repository }: { readonly all: Budget; readonly repository: Budget },
  spent: MonthSpent,
  month: string,
  name: string,
): Reason | null {
  const checks: readonly (readonly [BudgetCaps, Spent | null, string])[] = [
    [repository, spent.repository, `the tasks of \`${name}\``],
    [repository.perPerson, spent.personInRepository, `your tasks in \`${name}\``],
    [all, spent.everything, 'all tasks of this bot together'],
    [all.perPerson, spent.person, 'your tasks'],
  ];
  for (const [caps, sums, whose] of checks) {
    const reached = sums === null ? null : reachedCap(caps, sums);
    if (reached !== null) return reasonOf('budget-spent', { whose, ...reached, day: nextMonth(month) });
  }
  return null;
}

function reachedCap(
  { tokens, dollars }: BudgetCaps,
  spent: Spent,
): { readonly spent: string; readonly cap: string } | null {
  if (dollars !== null && spent.dollars >= dollars)
    return { spent: usdText(spent.dollars), cap: usdText(dollars) };
  if (tokens !== null && spent.tokens >= tokens)
    return { spent: tokenText(spent.tokens), cap: tokenText(tokens) };
  return null;
}

const tokenText = (tokens: number): string => `${tokens.toLocaleString('en')} tokens`;

/** `2026-11`, of an instant. */
export const monthOf = (at: number): string => new Date(at).toISOString().slice(0, 7);

/** The first day after a month: `1 December 2026`. */
export function nextMonth(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number, 1)).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
}

/** Whether any cap is set, so that what was spent has to be asked for. */
export const hasCaps = (budget: Budget): boolean =>
  [budget, budget.perPerson].some(({ tokens, dollars }) => tokens !== null || dollars !== null);
