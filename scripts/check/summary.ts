/** The end of `npm test`: what passed, failed and was skipped, the slowest files, the last line. */
import { z } from 'zod';

/** What `count-reporter.ts` writes about one run of tests. */
export const testCountsSchema = z.strictObject({
  passed: z.int(),
  failed: z.int(),
  skipped: z.int(),
  files: z.array(z.strictObject({ name: z.string(), seconds: z.number() })),
});
export type TestCounts = z.infer<typeof testCountsSchema>;

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** null: the check has no tests, or ended before it could count them. */
  readonly counts: TestCounts | null;
}

const slowestShown = 10;

/** A check without tests counts as one, and so does one that failed although each of its tests passed. */
export function summarize(results: readonly CheckResult[], seconds: number): string {
  const counts = results.flatMap((result) => result.counts ?? []);
  const sum = (key: 'passed' | 'failed' | 'skipped') =>
    counts.reduce((total, count) => total + count[key], 0);
  const others = results.filter(({ ok, counts: own }) => own === null || (!ok && own.failed === 0));
  const passed = sum('passed') + others.filter(({ ok }) => ok).length;
  const failed = sum('failed') + others.filter(({ ok }) => !ok).length;
  const failedChecks = results.filter(({ ok }) => !ok).map(({ name }) => name);
  const slowest = counts
    .flatMap(({ files }) => files)
    .toSorted((left, right) => right.seconds - left.seconds)
    .slice(0, slowestShown);
  return [
    '',
    ...(slowest.length === 0 ? [] : ['Slowest files:']),
    ...slowest.map((file) => `${file.seconds.toFixed(1).padStart(7)} s  ${file.name}`),
    ...(slowest.length === 0 ? [] : ['']),
    ...(failedChecks.length === 0 ? [] : [`Failed checks: ${failedChecks.join(', ')}`]),
    `Passed ${passed}, failed ${failed}, skipped ${sum('skipped')}, in ${seconds.toFixed(1)} s`,
    `${passed} passed, ${failed} failed`,
    '',
  ].join('\n');
}

/** The line that a check ends with. */
export function endLine({ name, ok, seconds, counts }: CheckResult): string {
  const some = (count: number, word: string) => (count > 0 ? `, ${count} ${word}` : '');
  const tests =
    counts === null
      ? ''
      : `, ${counts.passed} passed${some(counts.failed, 'failed')}${some(counts.skipped, 'skipped')}`;
  return `${ok ? '✓' : '✗'} ${name} (${seconds.toFixed(1)} s${tests})`;
}
