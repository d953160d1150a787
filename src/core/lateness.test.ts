import { describe, expect, it } from 'vitest';
import { cameTooLate, latenessOf, latenessText, tooLate } from './lateness.ts';

const asked = Date.parse('2026-11-30T10:00:00Z');
const trigger = {
  kind: 'github',
  event: 'issue_comment',
  installationId: 1,
  repositoryId: 2,
  issueNumber: 3,
  onPullRequest: false,
  mention: 'airlock',
  commentId: 4,
  triggeredAt: new Date(asked).toISOString(),
} as const;
const after = (ms: number) => latenessOf({ trigger, acceptedAt: new Date(asked + ms).toISOString() });
const [minute, hour] = [60_000, 3_600_000];

describe('a request that arrives late', () => {
  it.each([
    [0, null],
    [-hour, null],
    [10 * minute, null],
    [10 * minute + 1, 10 * minute + 1],
    [48 * hour, 48 * hour],
  ])('after %i ms has the lateness %s', (ms, lateness) => expect(after(ms)).toBe(lateness));

  it('is one from GitHub, because retries elsewhere keep the time of the first request', () => {
    const acceptedAt = new Date(asked + 48 * hour).toISOString();
    expect(latenessOf({ trigger: { kind: 'api' }, acceptedAt })).toBeNull();
  });

  it.each([
    ['run', 24 * hour, false],
    ['run', 24 * hour + 1, true],
    ['retry', 72 * hour, true],
    ['status', 72 * hour, false],
    ['cancel', 72 * hour, false],
    ['help', 72 * hour, false],
  ] as const)('with %s after %i ms is too late: %s', (kind, ms, isTooLate) => {
    expect(tooLate({ ask: { kind } }, ms) !== null).toBe(isTooLate);
  });

  it('says how late it is, and how to ask for it again', () => {
    const reason = tooLate({ ask: { kind: 'run' } }, 50 * hour);
    expect(reason?.message).toMatch(/asked 2 days ago.*nothing was started/);
    expect(reason?.next).toContain('`retry`');
    expect(latenessText(25 * minute)).toBe(
      'Airlock could not be reached when this was asked, and started 25 min 0 s later.',
    );
    if (reason === null) throw new Error('it is not too late');
    expect(cameTooLate({ kind: 'refused', reason })).toBe(true);
    expect(cameTooLate({ kind: 'refused', reason: { ...reason, code: 'no-write-access' } })).toBe(false);
  });
});
