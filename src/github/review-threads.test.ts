import { describe, expect, it } from 'vitest';
import { selectReviews, type ReviewComment, type ReviewInput } from './review-threads.ts';

const at = (minute: number, second = 0): string =>
  `2026-11-01T10:${String(minute).padStart(2, '0')}:${String(second).padStart(2, '0')}Z`;
const person = (login: string) => ({ login, type: 'User' });
const comment = (id: number, over: Partial<ReviewComment> = {}): ReviewComment => ({
  id,
  user: person('mona'),
  shown: `comment ${id}`,
  created_at: at(id),
  updated_at: at(id),
  pull_request_review_id: 9,
  path: 'a.js',
  line: id,
  side: 'RIGHT',
  diff_hunk: '@@ -1 +1 @@',
  ...over,
});
const input: ReviewInput = {
  reviews: [],
  comments: [],
  writers: new Set(['mona', 'lisa']),
  requester: { login: 'Mona', id: 1 },
  trigger: {
    kind: 'github',
    event: 'issue_comment',
    installationId: 3,
    repositoryId: 5,
    issueNumber: 2,
    mention: 'airlock',
    onPullRequest: true,
    commentId: 500,
    triggeredAt: at(30),
  },
  notRead: 0,
};
const review = { ...input.trigger, event: 'review', commentId: null, reviewId: 8 } as const;
const lineComment = { ...input.trigger, event: 'review_comment', commentId: 20, reviewId: 8 } as const;
const select = (comments: readonly ReviewComment[], over: Partial<ReviewInput> = {}) =>
  selectReviews({ ...input, comments, ...over });

describe('line comments', () => {
  it.each<[string, Partial<ReviewComment>, boolean, number]>([
    ['by a writer', {}, true, 0],
    ['by a writer, in another case', { user: person('LISA') }, true, 0],
    ['by a person without write access', { user: person('stranger') }, false, 1],
    ['by a bot with the name of a writer', { user: { login: 'mona', type: 'Bot' } }, false, 1],
    ['by a deleted account', { user: null }, false, 1],
    ['edited before the trigger', { updated_at: at(29) }, true, 0],
    ['edited after the trigger', { updated_at: at(31) }, false, 1],
    ['written after the trigger', { created_at: at(31), updated_at: at(31) }, false, 0],
    ['with a date that cannot be read', { created_at: 'now' }, false, 1],
    ['of nothing that is displayed', { shown: ' ' }, false, 0],
  ])('are included or left out: %s', (_, over, taken, leftOut) => {
    const { threads, leftOut: counted } = select([comment(10, over)]);
    expect([threads.length, counted]).toEqual([taken ? 1 : 0, leftOut]);
  });

  it.each<[string, Partial<ReviewComment>, boolean]>([
    ['of the triggering review', { pull_request_review_id: 8 }, true],
    ['of it, drafted long before', { pull_request_review_id: 8, created_at: at(1) }, true],
    ['of it, published a moment later', { pull_request_review_id: 8, updated_at: at(30, 3) }, true],
    ['of it, edited later', { pull_request_review_id: 8, updated_at: at(31) }, false],
    ['of it, by somebody else', { pull_request_review_id: 8, user: person('lisa') }, false],
    ['of it, without words', { pull_request_review_id: 8, shown: '' }, false],
    ['of another review', {}, false],
  ])('ask for something if they are the requester’s own: %s', (_, over, asks) => {
    const { threads } = select([comment(10, over)], { trigger: review });
    expect(threads.some(({ comments }) => comments.some((one) => one.asks))).toBe(asks);
  });

  it('ask also if the requester is nobody’s idea of a writer, because who may ask is decided before', () => {
    const own = comment(10, { pull_request_review_id: 8 });
    expect(select([own], { trigger: review, writers: new Set() }).threads).toHaveLength(1);
  });

  it('form threads, of which the one that asks comes first, with the trigger as the instruction', () => {
    const { threads } = select(
      [
        comment(4, { path: 'other.js' }),
        comment(5, { line: null, original_line: 7, original_start_line: 6, side: 'LEFT' }),
        comment(6, { in_reply_to_id: 5, user: person('lisa') }),
        comment(7, { in_reply_to_id: 5, user: person('stranger') }),
        comment(20, { in_reply_to_id: 5 }),
      ],
      { trigger: lineComment },
    );
    expect(threads).toEqual([
      {
        id: 5,
        path: 'a.js',
        line: 7,
        startLine: 6,
        side: 'LEFT',
        outdated: true,
        hunk: '@@ -1 +1 @@',
        comments: [
          { id: 5, asks: false, author: 'mona', createdAt: at(5), text: 'comment 5' },
          { id: 6, asks: false, author: 'lisa', createdAt: at(6), text: 'comment 6' },
          { id: 20, asks: true, author: 'mona', createdAt: at(20), text: null },
        ],
      },
      expect.objectContaining({ id: 4, path: 'other.js', line: 4, outdated: false }),
    ]);
  });

  it('keep the newest of the threads that ask for nothing, up to the cap, and count the rest', () => {
    const long = [1, 2, 3, 4].map((id) => comment(id, { shown: 'x'.repeat(10_000) }));
    const { threads, leftOut } = select(long, { notRead: 100 });
    expect([threads.map(({ id }) => id), leftOut]).toEqual([[3, 4], 102]);
  });

  it('are at most fifty that ask, each cut to a bounded size', () => {
    const many = Array.from({ length: 60 }, (_, n) =>
      comment(n + 1, { created_at: at(1), updated_at: at(1), pull_request_review_id: 8, diff_hunk: '' }),
    );
    const { threads, leftOut } = select(many, { trigger: review });
    expect(threads.length + leftOut).toBe(60);
    expect(threads.length).toBeLessThanOrEqual(50);
    const huge = comment(1, {
      pull_request_review_id: 8,
      shown: 'y'.repeat(65_536),
      diff_hunk: 'z'.repeat(9_000),
    });
    const [only] = select([huge], { trigger: review }).threads;
    expect(only?.hunk).toHaveLength(3_000);
    expect(only?.comments[0]?.text?.length).toBeLessThanOrEqual(20_000);
  });
});

it('includes the words of reviews by writers, but not those of the triggering one', () => {
  const words = [
    comment(1),
    comment(2, { user: person('stranger') }),
    comment(3, { created_at: at(40), updated_at: at(40) }),
    comment(8),
  ];
  expect(select([], { reviews: words, trigger: review })).toEqual({
    reviews: [{ author: 'mona', createdAt: at(1), text: 'comment 1' }],
    threads: [],
    leftOut: 1,
  });
});
