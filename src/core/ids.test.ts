import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apiTaskId,
  parseRepositoryRef,
  sameRepository,
  shortIdOf,
  slackTaskId,
  repeatedTaskId,
  taskIdFor,
  type SlackTaskKey,
} from './ids.ts';
import { taskRequestSchema } from './task.ts';

const labeled = {
  event: 'issue_labeled',
  repositoryId: 5,
  issueNumber: 7,
  issueCreatedAt: '2026-11-01T10:00:00Z',
  issueUpdatedAt: '2026-11-01T10:00:09Z',
  byAuthor: true,
} as const;

describe('taskIdFor', () => {
  it('names a comment by its id', () => {
    expect(taskIdFor({ event: 'issue_comment', repositoryId: 5, commentId: 9 })).toBe('gh-5-c9');
  });
  it('names a review by its id, and a line comment by its own only if it has no review', () => {
    expect(taskIdFor({ event: 'review', repositoryId: 5, reviewId: 9 })).toBe('gh-5-r9');
    expect(taskIdFor({ event: 'review_comment', repositoryId: 5, commentId: 9 })).toBe('gh-5-d9');
  });
  it('names a label on a pull request as one on an issue, whose numbers they share', () => {
    const { repositoryId, issueNumber, issueUpdatedAt } = labeled;
    const key = { event: 'pull_request_labeled', repositoryId, issueNumber, issueUpdatedAt } as const;
    expect(taskIdFor(key)).toBe(taskIdFor(labeled));
  });
  it('names an opened issue by its number', () => {
    expect(taskIdFor({ event: 'issue_opened', repositoryId: 5, issueNumber: 7 })).toBe('gh-5-i7');
  });
  it('names a label by the second in which it was set, so that setting it again is a new task', () => {
    expect(taskIdFor(labeled)).toBe('gh-5-l7-1793527209');
    expect(taskIdFor({ ...labeled, issueUpdatedAt: '2026-11-01T10:01:00Z' })).not.toBe(taskIdFor(labeled));
  });
  it('makes one task of an issue opened with mention and label', () => {
    const together = { ...labeled, issueUpdatedAt: labeled.issueCreatedAt };
    expect(taskIdFor(together)).toBe(taskIdFor({ event: 'issue_opened', repositoryId: 5, issueNumber: 7 }));
  });
  it('keeps a label by somebody else apart from the issue, even within the same second', () => {
    const atOnce = { ...labeled, issueUpdatedAt: labeled.issueCreatedAt, byAuthor: false };
    expect(taskIdFor(atOnce)).toBe('gh-5-l7-1793527200');
  });
  it('fits the schema of a task id with the largest numbers there are', () => {
    const id = taskIdFor({
      ...labeled,
      repositoryId: Number.MAX_SAFE_INTEGER,
      issueNumber: Number.MAX_SAFE_INTEGER,
    });
    expect(taskRequestSchema.shape.taskId.safeParse(id).success).toBe(true);
  });
});

describe('apiTaskId', () => {
  it('is the same for the same idempotency key and does not show it', async () => {
    const first = await apiTaskId({ idempotencyKey: 'deploy 42' });
    expect(first).toBe(await apiTaskId({ idempotencyKey: 'deploy 42' }));
    expect(first).toMatch(/^api-[0-9a-f]{40}$/);
    expect(first).not.toBe(await apiTaskId({ idempotencyKey: 'deploy 43' }));
  });
  it('uses a random UUID without an idempotency key', async () => {
    const id = await apiTaskId({ uuid: 'C0FFEE00-0000-4000-8000-000000000000' });
    expect(taskRequestSchema.shape.taskId.parse(id)).toBe('api-c0ffee00-0000-4000-8000-000000000000');
  });
});

describe('slackTaskId', () => {
  const message = { event: 'message', teamId: 'T1', channelId: 'C1', ts: '1793527209.000100' } as const;

  it('depends on the key, not on the order of its parts, and fits the schema of a task id', async () => {
    const id = await slackTaskId(message);
    expect(id).toMatch(/^slack-[0-9a-f]{40}$/);
    expect(await slackTaskId({ ts: message.ts, channelId: 'C1', teamId: 'T1', event: 'message' })).toBe(id);
    expect(taskRequestSchema.shape.taskId.parse(id)).toBe(id);
  });

  // Ids are stored: a change of the encoding would make a second task of a retry that comes across a
  // deployment.
  it.each<[SlackTaskKey, string]>([
    [
      { event: 'command', teamId: 'T1', triggerId: '1.2.abc' },
      'slack-5330e57293fe8af6818cafc012c898a08c645bad',
    ],
    [{ event: 'form', teamId: 'T1', viewId: 'V1' }, 'slack-20acf6cbc0c58dc3993fa6932f07f8aea60b412e'],
    [message, 'slack-540aef1f42876f527893c4116cb6a317fa0d9e72'],
  ])('keeps the id of %j', async (key, id) => {
    expect(await slackTaskId(key)).toBe(id);
  });

  it('differs as soon as any part or the kind differs', async () => {
    const part = fc.constantFrom('T1', 'T', '1', '', 'x","', '"', ',', 'T1","x', '\u0000');
    const key: fc.Arbitrary<SlackTaskKey> = fc.oneof(
      fc.record({ event: fc.constant('command' as const), teamId: part, triggerId: part }),
      fc.record({ event: fc.constant('form' as const), teamId: part, viewId: part }),
      fc.record({ event: fc.constant('message' as const), teamId: part, channelId: part, ts: part }),
    );
    const sorted = (of: SlackTaskKey): string =>
      JSON.stringify(Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    await fc.assert(
      fc.asyncProperty(key, key, async (a, b) => {
        expect((await slackTaskId(a)) === (await slackTaskId(b))).toBe(sorted(a) === sorted(b));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['slack-1', null, 'slack-8858f6bedd0a795c9224a87796b76e9651154098'],
    ['gh-1-c2', null, /^gh-[0-9a-f]{40}$/],
    ['api-1', 'api-2', /^api-[0-9a-f]{40}$/],
  ])('gives the repetition of %s, instead of %s, an id of its own', async (taskId, instead, expected) => {
    const first = await repeatedTaskId(taskId, instead);
    expect(first).toMatch(expected);
    const others = [
      await repeatedTaskId(taskId, first),
      await repeatedTaskId(first, null),
      await repeatedTaskId(first, instead),
    ];
    expect(new Set([first, ...others.slice(0, 2)]).size).toBe(3);
    expect(others).not.toContain(first);
  });
});

describe('shortIdOf', () => {
  it('returns the head of the SHA-256 of the task id', async () => {
    expect(await shortIdOf('abc')).toBe('ba7816bf');
  });
});

describe('parseRepositoryRef', () => {
  it.each([
    ['acme/shop', { owner: 'acme', name: 'shop' }],
    [' Acme/My.Repo_1 ', { owner: 'Acme', name: 'My.Repo_1' }],
    ['mona_acme/shop', { owner: 'mona_acme', name: 'shop' }],
    ['_acme/shop', null],
    ['acme', null],
    ['acme/', null],
    ['/shop', null],
    ['acme/shop/x', null],
    ['acme/..', null],
    ['acme/shop.git', null],
    ['-acme/shop', null],
    ['acme/sh op', null],
    ['https://github.com/acme/shop', null],
  ])('parses or refuses %j', (text, expected) => {
    expect(parseRepositoryRef(text)).toEqual(expected);
  });
});

describe('sameRepository', () => {
  it.each([
    ['acme/shop', 'acme/shop', true],
    ['Acme/Shop', 'acme/shoP', true],
    ['acme/shop', 'acme/shop2', false],
    ['acme/shop', 'acme2/shop', false],
  ])('compares %s with %s: %s', (a, b, expected) => {
    const [left, right] = [parseRepositoryRef(a), parseRepositoryRef(b)];
    expect(left !== null && right !== null && sameRepository(left, right)).toBe(expected);
  });
});
