import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { MemoryStorage } from '../../../test/memory/memory-storage.ts';
import type { Totals } from '../../core/metrics.ts';
import { MetricsBase } from './metrics.ts';

class Metrics extends MetricsBase<null> {
  protected override retentionMs(): number {
    return 0;
  }
}

it('counts once what is reported again, late or out of order, across restarts', async () => {
  const step = fc.record({
    source: fc.constantFrom('one', 'other'),
    series: fc.constantFrom('a', 'b'),
    by: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.infiniteStream(fc.nat()), async (steps, dice) => {
      const totals: Record<string, Totals> = {};
      const reports = steps.map(({ source, series, by }) => {
        const mine = totals[source] ?? {};
        totals[source] = { ...mine, [series]: (mine[series] ?? 0) + by };
        return [source, totals[source]] as const;
      });
      const storage = new MemoryStorage();
      // Each report once in any order, and some again.
      const order = reports.map((report) => ({ report, at: dice.next().value }));
      const sent = [...order, ...order.filter(({ at }) => at % 3 === 0)].toSorted((x, y) => x.at - y.at);
      for (const { report } of sent) {
        // @ts-expect-error -- the storage is all that it uses of its state
        await new Metrics({ storage }, null).report(...report);
      }
      const sum = (series: string) =>
        Object.values(totals).reduce((all, mine) => all + (mine[series] ?? 0), 0);
      // @ts-expect-error -- as above
      const counted = new Metrics({ storage }, null).counted();
      for (const series of ['a', 'b']) expect(counted[series] ?? 0).toBe(sum(series));
    }),
  );
});
