import { expect, it } from 'vitest';
import { githubTrigger, request } from '../../test/fixtures/sample-task.ts';
import type { GithubTrigger } from '../core/task.ts';
import { askedUrl } from './asked-url.ts';

it.each<[string, Partial<GithubTrigger>, string]>([
  ['a comment', {}, 'issues/7#issuecomment-2'],
  ['an issue', { event: 'issue_opened', commentId: null }, 'issues/7'],
  ['a comment on a pull request', { onPullRequest: true }, 'pull/7#issuecomment-2'],
  ['a line comment', { event: 'review_comment', onPullRequest: true, reviewId: 3 }, 'pull/7#discussion_r2'],
  [
    'a review',
    { event: 'review', onPullRequest: true, commentId: null, reviewId: 3 },
    'pull/7#pullrequestreview-3',
  ],
  ['a label', { event: 'pull_request_labeled', onPullRequest: true, commentId: null }, 'pull/7'],
])('links %s that asked', (_, changes, path) => {
  const asked = { ...request, trigger: { ...githubTrigger, ...changes } };
  expect(askedUrl('https://github.com/', asked)).toBe(`https://github.com/acme/app/${path}`);
});
