import { describe, expect, it } from 'vitest';
import { githubTrigger } from '../../../test/fixtures/sample-task.ts';
import { askOfReview, type ReviewWords } from './review-ask.ts';
import type { GithubTrigger } from '../task.ts';

const submittedAt = '2026-11-21T10:00:05Z';
const text = (markdown: string) => ({ markdown, shown: { text: markdown, addressable: markdown } });
const place = {
  path: 'a.ts',
  line: 3,
  startLine: null,
  side: 'RIGHT',
  inReplyTo: null,
  diffHunk: null,
} as const;
/** A review with these words, and line comments with ids from 1 on, at lines 10, 20 … */
const review = (own: string, ...lines: string[]): ReviewWords => ({
  submittedAt,
  own: text(own),
  lines: lines.map((markdown, index) => ({
    ...text(markdown),
    id: index + 1,
    place: { ...place, line: (index + 1) * 10 },
  })),
});
const ofReview: GithubTrigger = {
  ...githubTrigger,
  onPullRequest: true,
  event: 'review',
  reviewId: 4,
  commentId: null,
};
const ofLine = (commentId: number): GithubTrigger => ({
  ...ofReview,
  event: 'review_comment',
  commentId,
  lineComment: place,
});

describe('askOfReview', () => {
  type Row = [words: ReviewWords, event: string, commentId: number | null, ask: object, instruction: string];
  const run = { kind: 'run' };
  const bot = '@acme-bot';
  it.each<Row>([
    [review(`${bot} do all of it`, 'Rename this.', `${bot} drop it`), 'review', null, run, 'do all of it'],
    [review(bot, 'Rename this.'), 'review', null, run, ''],
    [review(`${bot} fix the checks`), 'review', null, { ...run, job: 'fix-checks' }, 'fix the checks'],
    [review(`${bot} cancel`, 'Rename this.'), 'review', null, { kind: 'cancel' }, ''],
    [review('Hm.', 'Rename this.', `${bot} drop it`), 'review_comment', 2, run, 'drop it'],
    [review('', `thanks ${bot}!`, `${bot} drop it`), 'review_comment', 2, run, 'drop it'],
    [review('', `${bot} drop it`, `${bot} help`), 'review_comment', 1, run, 'drop it'],
    [review('', `${bot} help`), 'review_comment', 1, { kind: 'help' }, ''],
    [review('', bot), 'review_comment', 1, { kind: 'invalid', message: expect.any(String) }, ''],
    [
      review('', `${bot} --effort low rename it`, 'And this?', `${bot} --effort high drop it`),
      'review',
      null,
      run,
      'Line comment 1: rename it\n\nLine comment 3: drop it',
    ],
  ])('reads the same from each event of the review: %j → %s', (words, event, commentId, ask, instruction) => {
    for (const trigger of [ofReview, ...words.lines.map(({ id }) => ofLine(id))]) {
      const asked = askOfReview(words, trigger);
      expect(asked).toMatchObject({
        ask,
        instruction,
        trigger: { event, commentId, triggeredAt: submittedAt },
      });
      expect(asked?.trigger.lineComment?.line ?? null).toBe(commentId === null ? null : commentId * 10);
      expect(asked?.trigger.reviewId).toBe(4);
    }
  });

  it('takes the options of the first line comment', () => {
    const words = review('', '@acme-bot --effort low rename it', '@acme-bot --effort high --model m drop it');
    expect(askOfReview(words, ofLine(2))?.options).toEqual({ effort: 'low', model: 'm' });
  });

  it.each([review('Nice.'), review('', '> @acme-bot fix it'.replace('@acme-bot', 'acme-bot')), review('')])(
    'asks nothing where nobody can see a mention: %j',
    (words) => {
      expect(askOfReview(words, ofReview)).toBeNull();
    },
  );
});
