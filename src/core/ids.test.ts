import { describe, expect, it } from 'vitest';
import { apiTaskId, parseRepositoryRef, shortIdOf, taskIdFor } from './ids.ts';
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
  it('names an opened issue by its number', () => {
    expect(taskIdFor({ event: 'issue_opened', repositoryId: 5, issueNumber: 7 })).toBe('gh-5-i7');
  });
  it('names a label by the second it was set, so that setting it again is a new task', () => {
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
  it('takes a random UUID otherwise', async () => {
    const id = await apiTaskId({ uuid: 'C0FFEE00-0000-4000-8000-000000000000' });
    expect(taskRequestSchema.shape.taskId.parse(id)).toBe('api-c0ffee00-0000-4000-8000-000000000000');
  });
});

describe('shortIdOf', () => {
  it('is the head of the SHA-256 of the task id', async () => {
    expect(await shortIdOf('abc')).toBe('ba7816bf');
  });
});

describe('parseRepositoryRef', () => {
  it.each([
    ['acme/shop', { owner: 'acme', name: 'shop' }],
    [' Acme/My.Repo_1 ', { owner: 'Acme', name: 'My.Repo_1' }],
    ['acme', null],
    ['acme/', null],
    ['/shop', null],
    ['acme/shop/x', null],
    ['acme/..', null],
    ['acme/shop.git', null],
    ['-acme/shop', null],
    ['acme/sh op', null],
    ['https://github.com/acme/shop', null],
  ])('%j', (text, expected) => {
    expect(parseRepositoryRef(text)).toEqual(expected);
  });
});
