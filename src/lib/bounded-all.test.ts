import { expect, it } from 'vitest';
import { boundedAll } from './bounded-all.ts';

it.each([
  [0, 3],
  [2, 3],
  [7, 3],
  [7, 1],
])('returns %i results in order, with at most %i at once', async (count, atOnce) => {
  let open = 0;
  let most = 0;
  const items = Array.from({ length: count }, (_, index) => index);
  const results = await boundedAll(items, atOnce, async (item) => {
    open += 1;
    most = Math.max(most, open);
    // The first items end last.
    for (let turn = count; turn > item; turn -= 1) await Promise.resolve();
    open -= 1;
    return item * 10;
  });
  expect(results).toEqual(items.map((item) => item * 10));
  expect(most).toBe(Math.min(count, atOnce));
});

it('rejects with the first failure and starts nothing after it', async () => {
  const started: number[] = [];
  const work = boundedAll([0, 1, 2, 3, 4], 2, async (item) => {
    started.push(item);
    await Promise.resolve();
    if (item === 1) throw new Error('no');
  });
  await expect(work).rejects.toThrow('no');
  await new Promise((resolve) => setTimeout(resolve));
  expect(started.length).toBeLessThan(5);
});
