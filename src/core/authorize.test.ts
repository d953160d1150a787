import { describe, expect, it } from 'vitest';
import { authorize, type AuthorizeInput } from './authorize.ts';
import type { RepositoryPolicy } from './policy.ts';
import type { TaskRequest } from './task.ts';

const github: TaskRequest['trigger'] = {
  kind: 'github',
  event: 'issue_comment',
  installationId: 3,
  repositoryId: 5,
  issueNumber: 2,
  onPullRequest: false,
  commentId: 9,
  triggeredAt: '2026-11-01T10:00:00Z',
};
const request: TaskRequest = {
  taskId: 'gh-5-c9',
  shortId: '0123abcd',
  acceptedAt: '2026-11-01T10:00:01Z',
  repository: { owner: 'acme', name: 'shop' },
  trigger: github,
  requester: { login: 'mona', id: 7 },
  ask: { kind: 'run' },
  instruction: 'fix it',
  options: {},
};
const policy: RepositoryPolicy = {
  allowed: true,
  matchedBy: 'acme/*',
  aliases: [],
  baseBranch: null,
  model: 'gpt-a',
  models: ['gpt-a', 'gpt-b'],
  effort: 'medium',
  setup: null,
  limits: { minutes: 30, tokens: 1000 },
  draft: false,
};
const facts = {
  owner: 'acme',
  name: 'shop',
  repositoryId: 5,
  installationId: 3,
  defaultBranch: 'main',
  private: true,
};
const good: AuthorizeInput = { request, policy, facts, canWrite: true };
const notListed = {
  allowed: false,
  reason: { code: 'repository-not-listed', message: '`acme/shop` is not listed in `x`.' },
} as const;

describe('what is allowed', () => {
  it('is a writer on a listed repository, with what the policy says', () => {
    expect(authorize(good)).toEqual({
      kind: 'allowed',
      base: { branch: null },
      model: 'gpt-a',
      effort: 'medium',
    });
  });
  it('is another base, an allowed model and another effort', () => {
    const options = { base: 'release/1', model: 'gpt-b', effort: 'high' } as const;
    expect(authorize({ ...good, request: { ...request, options } })).toEqual({
      kind: 'allowed',
      base: { branch: 'release/1' },
      model: 'gpt-b',
      effort: 'high',
    });
  });
  it('starts from the branch that the policy names when nobody names another', () => {
    expect(authorize({ ...good, policy: { ...policy, baseBranch: 'develop' } })).toMatchObject({
      base: { branch: 'develop' },
    });
  });
  it('is an API call without a requester, whose bearer token is the authority', () => {
    const call: TaskRequest = { ...request, trigger: { kind: 'api' }, requester: null };
    expect(authorize({ ...good, request: call, canWrite: 'unknown' })).toMatchObject({ kind: 'allowed' });
  });
  it('is help on a pull request', () => {
    const help: TaskRequest = {
      ...request,
      ask: { kind: 'help' },
      trigger: { ...github, onPullRequest: true },
    };
    expect(authorize({ ...good, request: help })).toMatchObject({ kind: 'allowed' });
  });
});

describe('what is refused', () => {
  it.each<[string, Partial<AuthorizeInput>, string]>([
    ['a repository without the App', { facts: null }, 'not-installed'],
    [
      'an API call on a repository without the App',
      { facts: null, request: { ...request, trigger: { kind: 'api' }, requester: null } },
      'not-installed',
    ],
    [
      'an API call on a repository that is not listed',
      { policy: notListed, request: { ...request, trigger: { kind: 'api' }, requester: null } },
      'repository-not-listed',
    ],
    ['a permission that could not be checked', { canWrite: 'unknown' }, 'permission-unknown'],
    ['a requester without write access', { canWrite: false }, 'no-write-access'],
    ['a GitHub trigger without a requester', { request: { ...request, requester: null } }, 'no-requester'],
    [
      'a name that now belongs to another repository',
      { facts: { ...facts, repositoryId: 6 } },
      'repository-changed',
    ],
    ['a repository that is not listed', { policy: notListed }, 'repository-not-listed'],
    [
      'a pull request',
      { request: { ...request, trigger: { ...github, onPullRequest: true } } },
      'pull-request-unsupported',
    ],
    [
      'a model outside the policy',
      { request: { ...request, options: { model: 'gpt-z' } } },
      'model-not-allowed',
    ],
  ])('%s', (_, over, code) => {
    expect(authorize({ ...good, ...over })).toMatchObject({ kind: 'refused', reason: { code } });
  });

  it.each<[string, Partial<AuthorizeInput>]>([
    ['no write access', { canWrite: false }],
    ['an unchecked permission', { canWrite: 'unknown' }],
  ])('says the same to somebody with %s, whatever the configuration holds', (_, over) => {
    const listed = authorize({ ...good, ...over, policy });
    expect(authorize({ ...good, ...over, policy: notListed })).toEqual(listed);
    expect(authorize({ ...good, ...over, request: { ...request, options: { model: 'gpt-z' } } })).toEqual(
      listed,
    );
  });

  it('names the models that would be allowed', () => {
    const verdict = authorize({ ...good, request: { ...request, options: { model: 'gpt-z' } } });
    expect(verdict.kind === 'refused' && verdict.reason.message).toContain('`gpt-a`, `gpt-b`');
  });
});
