import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  admit,
  emptyQueue,
  isWorthTelling,
  join,
  leave,
  patience,
  queueOrder,
  type SlotClaim,
  type SlotLimits,
  type SlotQueue,
} from './admission.ts';

const claim = (taskId: string, repository: string, requester: string | null = null): SlotClaim => ({
  taskId,
  repository,
  requester,
});
const joined = (claims: readonly SlotClaim[], queue: SlotQueue = emptyQueue): SlotQueue =>
  claims.reduce((filled, one) => join(filled, one), queue);
const many = (count: number, repository: string, requester: string | null = null): SlotClaim[] =>
  Array.from({ length: count }, (_, index) => claim(`${repository}-${index}`, repository, requester));
const wide: SlotLimits = { total: 1, perRepository: 100, perRequester: 100 };

/** Admits one after the other; each ends before the next is admitted. */
function oneByOne(queue: SlotQueue, limits: SlotLimits): string[] {
  const order: string[] = [];
  for (let rest = queue; ;) {
    const { admitted, queue: after } = admit(rest, limits);
    if (admitted.length === 0) return order;
    order.push(...admitted.map(({ taskId }) => taskId));
    rest = admitted.reduce((left, { taskId }) => leave(left, taskId), after);
  }
}

describe('the order of admission', () => {
  it('serves the oldest task of a repository first', () => {
    expect(oneByOne(joined(many(3, 'a')), wide)).toEqual(['a-0', 'a-1', 'a-2']);
  });

  it('lets repositories take turns, however many tasks each has', () => {
    const queue = joined([...many(4, 'a'), ...many(1, 'b'), ...many(2, 'c')]);
    expect(oneByOne(queue, wide)).toEqual(['a-0', 'b-0', 'c-0', 'a-1', 'c-1', 'a-2', 'a-3']);
  });

  it('makes a repository with one task wait for one task of each other, not for two hundred', () => {
    const order = oneByOne(joined([...many(200, 'big'), ...many(1, 'small')]), wide);
    expect(order.indexOf('small-0')).toBe(1);
  });

  it('gives a repository that joins again no second turn before the others', () => {
    const { queue } = admit(joined([...many(2, 'a'), ...many(2, 'b')]), wide); // a-0 has the slot
    const again = joined([claim('a-late', 'a')], leave(queue, 'a-0'));
    expect(oneByOne(again, wide)).toEqual(['b-0', 'a-1', 'b-1', 'a-late']);
  });

  it('lets others pass a person at their limit, and keeps the repository’s turn', () => {
    const limits = { total: 3, perRepository: 3, perRequester: 1 };
    const queue = joined([...many(3, 'a', 'maria'), claim('paul-0', 'a', 'paul')]);
    expect(admit(queue, limits).admitted.map(({ taskId }) => taskId)).toEqual(['a-0', 'paul-0']);
  });

  it('keeps the turn of a repository that is at its limit', () => {
    const limits = { total: 2, perRepository: 1, perRequester: 9 };
    const { queue } = admit(joined([...many(2, 'a'), ...many(3, 'b')]), limits);
    expect(queue.held.map(({ taskId }) => taskId)).toEqual(['a-0', 'b-0']);
    const after = admit(leave(queue, 'b-0'), limits);
    expect(after.admitted.map(({ taskId }) => taskId)).toEqual(['b-1']);
    expect(after.queue.turns).toEqual(['a', 'b']);
  });

  it('counts no person for an API call', () => {
    const limits = { total: 5, perRepository: 5, perRequester: 1 };
    expect(admit(joined(many(5, 'a')), limits).admitted).toHaveLength(5);
  });

  it('does not pass a person’s task for ever, even if every end comes at another repository’s turn', () => {
    // Paul keeps `a` busy, Maria always has a younger task in `b`, and her slot comes free only when `b` is
    // next.
    const limits = { total: 2, perRepository: 1, perRequester: 1 };
    let queue = joined([claim('paul', 'a', 'paul'), claim('maria-b', 'b', 'maria')]);
    queue = admit(queue, limits).queue;
    queue = join(queue, claim('passed', 'a', 'maria'));
    const admitted: string[] = [];
    for (let round = 0; !admitted.includes('passed'); round += 1) {
      expect(round).toBeLessThan(2 * patience);
      queue = joined([claim(`paul-${round}`, 'a', 'paul'), claim(`maria-${round}`, 'b', 'maria')], queue);
      for (const requester of ['paul', 'maria']) {
        const ends = queue.held.find((held) => held.requester === requester);
        const after = admit(ends === undefined ? queue : leave(queue, ends.taskId), limits);
        admitted.push(...after.admitted.map(({ taskId }) => taskId));
        queue = after.queue;
      }
    }
    // The premise: until then it was passed as often as it may be.
    const before = admitted.slice(0, admitted.indexOf('passed'));
    expect(before.filter((taskId) => taskId.startsWith('maria-'))).toHaveLength(patience);
  });

  it('lets a task join and leave once', () => {
    const once = joined([claim('x', 'a')]);
    expect(join(once, claim('x', 'a'))).toBe(once);
    const { queue } = admit(once, wide);
    expect(join(queue, claim('x', 'a'))).toBe(queue);
    expect(leave(leave(queue, 'x'), 'x')).toEqual(emptyQueue);
  });
});

describe('the place in the queue', () => {
  it('follows the order in which slots would come', () => {
    const queue = joined([...many(3, 'a'), ...many(1, 'b')]);
    expect(queueOrder(queue)).toEqual(['a-0', 'b-0', 'a-1', 'a-2']);
    expect(queueOrder(queue)).toEqual(oneByOne(queue, wide));
    expect(queueOrder(emptyQueue)).toEqual([]);
  });

  it.each([
    [null, 400, true],
    [3, 2, true],
    [2, 2, false],
    [2, 3, true],
    [9, 8, false],
    [9, 7, true],
    [100, 90, false],
    [100, 80, true],
    [100, 126, true],
  ])('that people saw as %s and is %i now is worth an edit: %s', (told, place, worth) => {
    expect(isWorthTelling(told, place)).toBe(worth);
  });

  it('costs each of five hundred waiting tasks about twenty edits, not five hundred', () => {
    let told: number | null = null;
    let edits = 0;
    for (let place = 500; place > 0; place -= 1)
      if (isWorthTelling(told, place)) {
        told = place;
        edits += 1;
      }
    expect(edits).toBeLessThan(35);
    expect(told).toBe(1);
  });
});

// ---- properties -------------------------------------------------------------------------------------------

interface Step {
  readonly ask: { readonly repository: number; readonly requester: number | null } | null;
  /** Which of the held ones ends, from 0. */
  readonly end: number | null;
  /** Which of the waiting ones is cancelled. */
  readonly cancel: number | null;
}
const limitsArbitrary = fc.record({
  total: fc.integer({ min: 1, max: 5 }),
  perRepository: fc.integer({ min: 1, max: 4 }),
  perRequester: fc.integer({ min: 1, max: 4 }),
});
const askArbitrary = fc.record({
  repository: fc.nat(3),
  requester: fc.option(fc.nat(2), { freq: 4 }),
});
const stepsArbitrary = (maxLength: number) =>
  fc.array(
    fc.record<Step>({
      ask: fc.option(askArbitrary, { freq: 4 }),
      end: fc.option(fc.nat(4)),
      cancel: fc.option(fc.nat(8), { freq: 1 }),
    }),
    { minLength: 1, maxLength },
  );

interface Told {
  queue: SlotQueue;
  readonly admitted: SlotClaim[];
}

function play(steps: readonly Step[], limits: SlotLimits, check: (queue: SlotQueue) => void): Told {
  let queue = emptyQueue;
  const admitted: SlotClaim[] = [];
  steps.forEach(({ ask, end, cancel }, index) => {
    if (ask !== null)
      queue = join(
        queue,
        claim(`t${index}`, `r${ask.repository}`, ask.requester === null ? null : `p${ask.requester}`),
      );
    const cancelled = cancel === null ? undefined : queue.waiting[cancel];
    if (cancelled !== undefined) queue = leave(queue, cancelled.taskId);
    const ended = end === null ? undefined : queue.held[end];
    if (ended !== undefined) queue = leave(queue, ended.taskId);
    const after = admit(queue, limits);
    admitted.push(...after.admitted);
    ({ queue } = after);
    check(queue);
  });
  return { queue, admitted };
}

const most = (claims: readonly SlotClaim[], keyOf: (one: SlotClaim) => string | null): number => {
  const counts = claims
    .map(keyOf)
    .filter((key) => key !== null)
    .map((key, _, keys) => keys.filter((other) => other === key).length);
  return Math.max(0, ...counts);
};

describe('any sequence of joins and ends', () => {
  it('passes no limit, and leaves no slot free that a waiting task may have', () => {
    fc.assert(
      fc.property(stepsArbitrary(80), limitsArbitrary, (steps, limits) => {
        play(steps, limits, (queue) => {
          expect(queue.held.length).toBeLessThanOrEqual(limits.total);
          expect(most(queue.held, ({ repository }) => repository)).toBeLessThanOrEqual(limits.perRepository);
          expect(most(queue.held, ({ requester }) => requester)).toBeLessThanOrEqual(limits.perRequester);
          expect(admit(queue, limits).admitted).toEqual([]);
          expect(new Set(queue.turns)).toEqual(new Set(queue.waiting.map(({ repository }) => repository)));
          expect([...queueOrder(queue)].sort()).toEqual(queue.waiting.map(({ taskId }) => taskId).sort());
        });
      }),
    );
  });

  it('admits the tasks of one requester in one repository in the order of the requests', () => {
    fc.assert(
      fc.property(stepsArbitrary(80), limitsArbitrary, (steps, limits) => {
        const { admitted } = play(steps, limits, () => undefined);
        const groups = Map.groupBy(admitted, ({ repository, requester }) => `${repository} ${requester}`);
        for (const group of groups.values()) {
          const numbers = group.map(({ taskId }) => Number(taskId.slice(1)));
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('admits no unknown task, and none twice', () => {
    fc.assert(
      fc.property(stepsArbitrary(80), limitsArbitrary, (steps, limits) => {
        const { admitted, queue } = play(steps, limits, () => undefined);
        const ids = admitted.map(({ taskId }) => taskId);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { taskId } of queue.waiting) expect(ids).not.toContain(taskId);
      }),
    );
  });

  it('admits every waiting task as tasks end, if no more join', () => {
    fc.assert(
      fc.property(stepsArbitrary(60), limitsArbitrary, (steps, limits) => {
        let { queue } = play(steps, limits, () => undefined);
        for (let round = 0; queue.waiting.length > 0; round += 1) {
          expect(round).toBeLessThan(100);
          const [oldest] = queue.held;
          expect(oldest).toBeDefined();
          ({ queue } = admit(leave(queue, oldest?.taskId ?? ''), limits));
        }
      }),
    );
  });

  it('lets no task wait for ever, even if others keep joining and the ends are chosen against it', () => {
    fc.assert(
      fc.property(
        stepsArbitrary(30),
        limitsArbitrary,
        askArbitrary,
        fc.infiniteStream(fc.tuple(askArbitrary, fc.nat(4))),
        (steps, limits, ask, stream) => {
          let { queue } = play(steps, limits, () => undefined);
          const requester = ask.requester === null ? null : `p${ask.requester}`;
          queue = join(queue, claim('patient', `r${ask.repository}`, requester));
          let round = 0;
          for (const [more, ends] of stream) {
            if (!queue.waiting.some(({ taskId }) => taskId === 'patient')) break;
            round += 1;
            expect(round).toBeLessThan(600);
            const other = more.requester === null ? null : `p${more.requester}`;
            queue = join(queue, claim(`more-${round}`, `r${more.repository}`, other));
            // Each task ends some time: every third that ends is the one that has run for longest.
            const ended = queue.held[round % 3 === 0 ? 0 : ends % Math.max(1, queue.held.length)];
            if (ended !== undefined) queue = leave(queue, ended.taskId);
            ({ queue } = admit(queue, limits));
          }
        },
      ),
    );
  });
});
