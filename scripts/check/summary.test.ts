import { describe, expect, it } from 'vitest';
import { endLine, summarize, type CheckResult } from './summary.ts';

const types: CheckResult = { name: 'types', ok: true, seconds: 2, counts: null };
const unit: CheckResult = {
  name: 'unit',
  ok: false,
  seconds: 12.34,
  counts: {
    passed: 40,
    failed: 2,
    skipped: 1,
    files: [
      { name: 'src/a.test.ts', seconds: 1 },
      { name: 'src/b.test.ts', seconds: 10.25 },
    ],
  },
};
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);

describe('the summary', () => {
  it('names the slowest files, the failed checks, the counts and the seconds', () => {
    expect(summarize([types, unit], 20)).toBe(`
Slowest files:
   10.3 s  src/b.test.ts
    1.0 s  src/a.test.ts

Failed checks: unit
Passed 41, failed 2, skipped 1, in 20.0 s
41 passed, 2 failed
`);
  });

  it('shows ten files at most', () => {
    const files = Array.from({ length: 12 }, (_, index) => ({ name: `${index}.test.ts`, seconds: index }));
    const counts = { passed: 12, failed: 0, skipped: 0, files };
    const text = summarize([{ ...unit, ok: true, counts }], 1);
    expect(text.match(/\.test\.ts/g)).toHaveLength(10);
    expect(text).not.toContain(' 1.test.ts');
  });

  it.each<[string, readonly CheckResult[], string]>([
    ['a check without tests as one', [types, { ...types, ok: false }], '1 passed, 1 failed'],
    ['each test of a check, and not the check itself', [unit], '40 passed, 2 failed'],
    [
      'a check that failed although its tests passed',
      [{ ...unit, counts: { passed: 40, failed: 0, skipped: 0, files: [] } }],
      '40 passed, 1 failed',
    ],
    ['a run of tests that ended before it could count', [{ ...unit, counts: null }], '0 passed, 1 failed'],
    ['nothing', [], '0 passed, 0 failed'],
  ])('counts %s', (_, results, line) => {
    expect(lastLine(summarize(results, 1))).toBe(line);
  });
});

describe('the line at the end of a check', () => {
  it.each([
    [types, '✓ types (2.0 s)'],
    [unit, '✗ unit (12.3 s, 40 passed, 2 failed, 1 skipped)'],
  ])('has the seconds, and the counts if there are any', (result, line) => {
    expect(endLine(result)).toBe(line);
  });
});
