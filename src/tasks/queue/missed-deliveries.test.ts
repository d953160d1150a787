import { describe, expect, it } from 'vitest';
import type { DeliveryAttempt } from '../../core/ports/delivery-log.ts';
import { missedIn, refilled, untilAffordable } from './missed-deliveries.ts';

const hour = 3_600_000;
let ids = 0;
const attempt = (guid: string, status: number, event = 'issue_comment.created'): DeliveryAttempt => {
  ids += 1;
  return { id: String(ids), guid, at: ids, event, status };
};
const missed = (oldestFirst: readonly DeliveryAttempt[], answersCount: boolean, handled: string[] = []) =>
  missedIn(oldestFirst.toReversed(), {
    answersCount,
    mayStart: (event) => event !== 'push',
    isHandled: (guid) => handled.includes(guid),
  }).map(({ guid }) => guid);

describe('what is missed', () => {
  it.each([
    ['an answer of 202', [['a', 202]], []],
    ['no answer', [['a', 0]], ['a']],
    ['a refusal', [['a', 401]], ['a']],
    ['an error', [['a', 502]], ['a']],
    ['a redirect', [['a', 302]], ['a']],
    [
      'an error, and a redelivery that arrived',
      [
        ['a', 502],
        ['a', 202],
      ],
      [],
    ],
    [
      'an arrival, and a redelivery that did not',
      [
        ['a', 202],
        ['a', 0],
      ],
      [],
    ],
    [
      'two failed attempts',
      [
        ['a', 0],
        ['b', 0],
        ['a', 0],
      ],
      ['a', 'b'],
    ],
  ] as const)('where webhooks arrive, after %s', (_, sent, expected) => {
    const attempts = sent.map(([guid, status]) => attempt(guid, status));
    expect(missed(attempts, true)).toEqual(expected);
    // Where no webhook arrives it was not this Airlock that answered.
    expect(missed(attempts, false)).toEqual([...new Set(sent.map(([guid]) => guid))]);
  });

  it('is neither an event that asks for nothing nor one that was handled', () => {
    expect(missed([attempt('a', 0, 'push'), attempt('b', 0), attempt('c', 0)], false, ['c'])).toEqual(['b']);
  });

  it('is read from the last attempt, in the order of the first ones', () => {
    const [first, other, last] = [attempt('a', 0), attempt('b', 0), attempt('a', 0)];
    const found = missedIn([last, other, first], {
      answersCount: true,
      mayStart: () => true,
      isHandled: () => false,
    });
    expect(found).toEqual([last, other]);
  });
});

describe('the requests that reading may make', () => {
  it('are a tenth of the limit within an hour, however they are spread', () => {
    let budget = refilled(null, 5000, 0);
    let spent = 0;
    for (let now = 0; now < hour;) {
      const wait = untilAffordable(budget, 5000, 0);
      if (wait === 0) {
        budget = { ...budget, left: budget.left - 1 };
        spent += 1;
      }
      now += Math.max(wait, 500);
      budget = refilled(budget, 5000, now);
    }
    // Those of the first hour were there at its beginning, too.
    expect(spent).toBeGreaterThan(900);
    expect(spent).toBeLessThanOrEqual(1000);
  });

  it('are not counted where GitHub has no limit', () => {
    const budget = refilled(null, null, 0);
    expect(untilAffordable({ ...budget, left: budget.left - 1e6 }, null, 50)).toBe(0);
    expect(JSON.parse(JSON.stringify(budget))).toEqual(budget);
  });

  it('do not shrink when the clock goes back', () => {
    expect(refilled({ left: 7, at: 1000 }, 5000, 0)).toEqual({ left: 7, at: 0 });
  });
});
