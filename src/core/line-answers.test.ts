import { aReason } from '../../test/fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import { githubTrigger } from '../../test/fixtures/sample-task.ts';
import { lineAnswers, threadOf } from './line-answers.ts';
import type { GithubTrigger, TaskOutcome } from './task.ts';

const lineComment = { path: 'a.js', line: 1, startLine: null, side: null, inReplyTo: null, diffHunk: null };
const inThread = (commentId: number, inReplyTo: number | null): Partial<GithubTrigger> => ({
  event: 'review_comment',
  commentId,
  lineComment: { ...lineComment, inReplyTo },
});
const asked = (changes: Partial<GithubTrigger> = {}) => ({ trigger: { ...githubTrigger, ...changes } });

describe('threadOf', () => {
  it.each<[string, Partial<GithubTrigger>, number | null]>([
    ['a line comment', inThread(5, null), 5],
    ['a reply to a line comment', inThread(7, 5), 5],
    ['a comment in the conversation', { event: 'issue_comment', commentId: 5 }, null],
    ['a review', { event: 'review', commentId: null, reviewId: 9 }, null],
    ['a label', { event: 'pull_request_labeled', commentId: null }, null],
  ])('finds the thread of %s', (_, changes, thread) => {
    expect(threadOf(asked(changes))).toBe(thread);
  });

  it('finds none for a task that GitHub did not trigger', () => {
    expect(threadOf({ trigger: { kind: 'api' } })).toBeNull();
  });
});

describe('lineAnswers', () => {
  const lines = [
    { id: 1, thread: 1 },
    { id: 2, thread: 1 },
    { id: 3, thread: 3 },
  ];
  const reason = aReason('x', 'x');
  const pullRequest = { number: 1, title: '', url: '', headRef: '', headSha: '', draft: false };
  const answered: TaskOutcome[] = [
    { kind: 'pull-request', pullRequest, added: true },
    { kind: 'patch', reason, patch: { text: '', complete: true }, summary: '' },
    { kind: 'no-change', summary: '' },
  ];
  const unanswered: TaskOutcome[] = [
    { kind: 'failed', reason, changeKept: true },
    { kind: 'held', reason, changeHash: null },
    { kind: 'refused', reason },
    { kind: 'cancelled', by: 'mona' },
    { kind: 'replied', text: '' },
    { kind: 'steered', taskId: 'x' },
    { kind: 'ignored', reason },
    { kind: 'answered', message: '' },
  ];

  it.each(answered)('has one answer for each line comment after $kind', (outcome) => {
    const replies = [
      { id: 3, text: 'Renamed.' },
      { id: 99, text: 'A comment that Codex was not given.' },
    ];
    expect(lineAnswers(asked({ event: 'review' }), outcome, lines, replies)).toEqual([
      { id: 1, thread: 1, text: null },
      { id: 2, thread: 1, text: null },
      { id: 3, thread: 3, text: 'Renamed.' },
    ]);
  });

  it.each(unanswered)('has none after $kind', (outcome) => {
    expect(lineAnswers(asked({ event: 'review' }), outcome, lines, [])).toEqual([]);
  });

  it.each(answered)('leaves the thread of the task’s own comment to that comment after $kind', (outcome) => {
    expect(lineAnswers(asked(inThread(2, 1)), outcome, lines, [])).toEqual([
      { id: 3, thread: 3, text: null },
    ]);
  });
});
