import { aReason } from '../../../test/fixtures/a-reason.ts';
import { expect, it } from 'vitest';
import { UpstreamError } from '../../core/ports/upstream-error.ts';
import { taskLimits } from '../limits.ts';
import { dueToPost, ProgressPost, type PostState } from './progress-post.ts';

const now = 1_000_000;
const { commentEveryMs, refreshEveryMs } = taskLimits;
const idle: PostState = {
  dirty: false,
  phaseEntered: false,
  agentRuns: false,
  editedAt: 0,
  shownAt: now,
  rateLimitedUntil: 0,
  closed: false,
};

it.each<[string, Partial<PostState>, boolean]>([
  ['is not due without news', {}, false],
  ['is due with news', { dirty: true }, true],
  ['is not due so soon after the last edit', { dirty: true, editedAt: now - commentEveryMs + 1 }, false],
  ['is due after the interval', { dirty: true, editedAt: now - commentEveryMs }, true],
  ['is not due under a rate limit', { dirty: true, rateLimitedUntil: now + 1 }, false],
  ['is due when the rate limit is over', { dirty: true, rateLimitedUntil: now }, true],
  ['is not due at a place that refused for good', { dirty: true, closed: true }, false],
  ['is due with a new phase', { phaseEntered: true }, true],
  ['is not due with a new phase while Codex works', { phaseEntered: true, agentRuns: true }, false],
  ['is not due while Codex works and the post is fresh', { agentRuns: true }, false],
  ['is due while Codex works and the post is old', { agentRuns: true, shownAt: now - refreshEveryMs }, true],
  ['is not due for its age alone when Codex does not work', { shownAt: 0 }, false],
])('a post %s', (_, changes, due) => {
  expect(dueToPost({ ...idle, ...changes }, now)).toBe(due);
});

it('makes one edit after the other, also after a failed one', async () => {
  const log: string[] = [];
  let edits = 0;
  const post = new ProgressPost({
    show: async () => {
      const edit = (edits += 1);
      log.push(`begin ${edit}`);
      await Promise.resolve();
      log.push(`end ${edit}`);
      if (edit === 1) throw new Error('502');
      return 'shown';
    },
    agentRuns: () => false,
    now: () => now,
    failed: () => undefined,
  });
  const first = post.update();
  const second = post.update();
  await expect(first).rejects.toThrow('502');
  await second;
  await post.settled();
  expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
});

const limited = (waitMs: number) =>
  new UpstreamError({ kind: 'transient', waitMs, reason: aReason('limited', '') });

it('retries a failed edit of progress once the rate limit is over', async () => {
  let time = now;
  let edits = 0;
  const failures: unknown[] = [];
  const post = new ProgressPost({
    show: async () => {
      edits += 1;
      if (edits === 1) throw limited(60_000);
      return 'shown';
    },
    agentRuns: () => false,
    now: () => time,
    failed: (error) => failures.push(error),
  });
  post.requestUpdate();
  await post.settled();
  await Promise.resolve();
  time += commentEveryMs;
  post.updateIfDue();
  expect([edits, failures.length]).toEqual([1, 1]);
  time += 60_000;
  post.updateIfDue();
  await post.settled();
  expect(edits).toBe(2);
});

it('makes no edit under a long rate limit, and none of progress at a place that refused', async () => {
  let time = now;
  const answers = [limited(600_000), 'closed', 'closed'] as const;
  let edits = 0;
  const post = new ProgressPost({
    show: async () => {
      const answer = answers[edits] ?? 'shown';
      edits += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    agentRuns: () => false,
    now: () => time,
    failed: () => undefined,
  });
  await expect(post.update()).rejects.toThrow(UpstreamError);
  time += 500_000;
  await expect(post.update()).rejects.toThrow('rate limit');
  expect(edits).toBe(1);
  time += 100_000;
  await post.update();
  post.requestUpdate();
  await post.settled();
  expect(edits).toBe(2);
  // The end is tried again: somebody may have unlocked the issue.
  await post.update();
  expect(edits).toBe(3);
});
