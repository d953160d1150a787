/** Where a task's post goes when GitHub refuses its place. */
import { aReason } from '../../../test/fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import { facts, githubTrigger, request } from '../../../test/fixtures/sample-task.ts';
import { emptyReceipt } from '../../core/grant.ts';
import { UpstreamError, type Meaning } from '../../core/ports/upstream-error.ts';
import { threadOf } from '../../core/line-answers.ts';
import type { RoutedRequest, TaskOutcome } from '../../core/task.ts';
import { createNotifier } from './notifier.ts';
import { openState, type RecordState } from './record-state.ts';
import { viewOf } from './record-view.ts';

const reason = aReason('no', 'No.');
const pullRequest = {
  number: 8,
  title: 't',
  url: 'https://github.com/a/b/pull/8',
  headRef: 'x',
  headSha: '',
};
const published: TaskOutcome = { kind: 'pull-request', pullRequest: { ...pullRequest, draft: false } };
const issueNumber = request.trigger.kind === 'github' ? request.trigger.issueNumber : 0;

/** Shows a task whose issue fails with a meaning; returns what was asked of GitHub, and the result. */
async function show(
  kind: Meaning['kind'] | null,
  outcome: TaskOutcome | null,
  located: RecordState['facts'] = facts,
  asking: RoutedRequest = request,
  posted: RecordState['posted'] = { surface: 'github', commentId: 5 },
) {
  const places: unknown[] = [];
  const asked: (readonly [place: number | 'thread', text: string, id: number | null])[] = [];
  const failure = kind ?? 'refused';
  const meaning: Meaning =
    failure === 'transient' ? { kind: failure, waitMs: null, reason } : { kind: failure, reason };
  const notifier = createNotifier({
    codeHost: {
      saveProgressComment: async ({ owner, name, repositoryId, installationId }, { trigger }, text, id) => {
        places.push({ owner, name, repositoryId, installationId });
        const issue = trigger.kind === 'github' ? trigger.issueNumber : 0;
        const isThread = trigger.kind === 'github' && trigger.event === 'review_comment';
        asked.push([isThread ? 'thread' : issue, text, id]);
        const isAsked = issue === issueNumber && isThread === (threadOf(asking) !== null);
        if (kind !== null && isAsked) throw new UpstreamError(meaning);
        return 99;
      },
      saveEndComment: async ({ owner, name, repositoryId, installationId }, { trigger }, text) => {
        places.push({ owner, name, repositoryId, installationId });
        asked.push([trigger.kind === 'github' ? trigger.issueNumber : 0, text, null]);
        if (kind !== null) throw new UpstreamError(meaning);
        return 77;
      },
    },
    renderComment: () => 'the end',
    renderFolded: (_, { id }) => `see ${id}`,
    chat: null,
    index: { put: async () => undefined },
  });
  const state = { ...openState(asking, 'nonce', 0), facts: located, posted, outcome };
  const view = viewOf(state, { progress: null, receipt: emptyReceipt, setup: null, costUsd: null, now: 0 });
  try {
    return { asked, places, result: await notifier.show(state, view) };
  } catch (error) {
    return { asked, places, result: error };
  }
}

it.each(['gone', 'refused'] as const)('goes to the pull request when the issue is %s', async (kind) => {
  const { asked, result } = await show(kind, published);
  const text = `Requested in #${issueNumber}, where GitHub no longer takes a comment.\n\nthe end`;
  expect(asked).toEqual([
    [issueNumber, 'the end', 5],
    [8, text, null],
  ]);
  expect(result).toEqual({ surface: 'github', commentId: 99 });
});

it.each<[string, Meaning['kind'], TaskOutcome | null]>([
  ['while the task runs', 'refused', null],
  ['after a task without a pull request', 'gone', { kind: 'no-change', summary: '' }],
  ['when the refusal is transient', 'transient', published],
])('goes nowhere else %s', async (_, kind, outcome) => {
  const { asked, result } = await show(kind, outcome);
  const isEnd = outcome !== null && outcome.kind !== 'pull-request';
  expect(asked).toEqual([[issueNumber, 'the end', isEnd ? null : 5]]);
  expect(result).toBeInstanceOf(UpstreamError);
});

it('is the place of the signed payload when GitHub could not be asked about it', async () => {
  const { places } = await show('transient', { kind: 'failed', reason, changeKept: false }, null);
  const { trigger, repository } = request;
  if (trigger.kind !== 'github') throw new Error('no issue');
  const { repositoryId, installationId } = trigger;
  expect(places).toEqual([{ ...repository, repositoryId, installationId }]);
});

it('reports an end without a pull request in a comment of its own, and folds the other', async () => {
  const { asked, result } = await show(null, { kind: 'no-change', summary: '' });
  expect(asked).toEqual([
    [issueNumber, 'the end', null],
    [issueNumber, 'see 77', 5],
  ]);
  expect(result).toEqual({ surface: 'github', commentId: 5 });
});

it.each([null, published])('edits the progress comment for %j', async (outcome) => {
  expect((await show(null, outcome)).asked).toEqual([[issueNumber, 'the end', 5]]);
});

describe('for a task that a line comment asked for', () => {
  const inThread: RoutedRequest = {
    ...request,
    trigger: { ...githubTrigger, event: 'review_comment', onPullRequest: true, commentId: 9 },
  };
  const posted = { surface: 'github', commentId: 5, inThread: true } as const;

  it('is a reply in its thread', async () => {
    const { asked, result } = await show(null, published, facts, inThread, posted);
    expect(asked).toEqual([['thread', 'the end', 5]]);
    expect(result).toEqual({ ...posted, commentId: 99 });
  });

  it.each([
    ['while the task runs', null],
    ['at its end', { kind: 'cancelled', by: 'x' }],
  ] as const)('goes to the conversation when the thread is gone, %s', async (_, outcome) => {
    const { asked, result } = await show('gone', outcome, facts, inThread, null);
    expect(asked).toEqual([
      ['thread', 'the end', null],
      [issueNumber, 'Requested in a line comment that takes no reply any more.\n\nthe end', null],
    ]);
    expect(result).toEqual({ surface: 'github', commentId: 99 });
  });

  it('is not searched by the id of a comment in the conversation, whose ids are others’', async () => {
    const { asked } = await show(null, null, facts, inThread, { surface: 'github', commentId: 5 });
    expect(asked).toEqual([['thread', 'the end', null]]);
  });
});
