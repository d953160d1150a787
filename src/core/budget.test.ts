import { describe, expect, it } from 'vitest';
import { budgetRefusal, hasCaps, monthOf, nextMonth, type MonthSpent } from './budget.ts';
import { noBudget, type Budget, type BudgetCaps } from './policy.ts';
import { reasonText } from './reason.ts';

const caps = (tokens: number | null, dollars: number | null = null): BudgetCaps => ({ tokens, dollars });
const sums = (tokens: number, dollars = 0) => ({ tokens, dollars });
const spent: MonthSpent = {
  everything: sums(900, 9),
  repository: sums(500, 5),
  person: sums(300, 3),
  personInRepository: sums(100, 1),
};
const refusal = (all: Budget, repository: Budget, is: MonthSpent = spent) =>
  budgetRefusal({ all, repository }, is, '2026-12', 'acme/shop');

describe('a budget', () => {
  it.each<[string, Budget, Budget, RegExp]>([
    [
      'of the repository',
      noBudget,
      { ...noBudget, ...caps(500) },
      /the tasks of `acme\/shop` have spent 500 tokens of 500 tokens/,
    ],
    [
      'of the repository in dollars',
      noBudget,
      { ...noBudget, ...caps(null, 4.5) },
      /have spent \$5.00 of \$4.50/,
    ],
    [
      'of the person there',
      noBudget,
      { ...noBudget, perPerson: caps(100) },
      /your tasks in `acme\/shop` have spent 100/,
    ],
    [
      'of everything',
      { ...noBudget, ...caps(900) },
      noBudget,
      /all tasks of this bot together have spent 900/,
    ],
    [
      'of the person',
      { ...noBudget, perPerson: caps(null, 3) },
      noBudget,
      /your tasks have spent \$3.00 of \$3.00/,
    ],
  ])(
    '%s that is reached refuses, with the sum and the day on which it is free again',
    (_, all, repository, says) => {
      const reason = refusal(all, repository);
      expect(reason?.code).toBe('budget-spent');
      const text = reason === null ? '' : reasonText(reason);
      expect(text).toMatch(says);
      expect(text).toContain('free again on 1 January 2027 (UTC)');
    },
  );

  it.each<[string, Budget, Budget, MonthSpent]>([
    ['without a cap', noBudget, noBudget, spent],
    [
      'below each cap',
      { ...caps(901, 9.01), perPerson: caps(301, 3.01) },
      { ...caps(501, 5.01), perPerson: caps(101, 1.01) },
      spent,
    ],
    [
      'of a person does not apply without one',
      { ...noBudget, perPerson: caps(1) },
      { ...noBudget, perPerson: caps(1) },
      { ...spent, person: null, personInRepository: null },
    ],
  ])('%s refuses nothing', (_, all, repository, is) => {
    expect(refusal(all, repository, is)).toBeNull();
  });

  it('is of a month by UTC', () => {
    expect(monthOf(Date.parse('2026-12-01T00:30:00+01:00'))).toBe('2026-11');
    expect(nextMonth('2026-11')).toBe('1 December 2026');
    expect([noBudget, { ...noBudget, perPerson: caps(1) }].map(hasCaps)).toEqual([false, true]);
  });
});
