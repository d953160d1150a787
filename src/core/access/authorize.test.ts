import { aReason } from '../../../test/fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import { authorize, type AuthorizeInput } from './authorize.ts';
import type { ChatPerson } from '../chat.ts';
import { closedPolicy, type RepositoryPolicy, type SlackAccess } from '../policy.ts';
import type { RoutedRequest, TaskRequest } from '../task.ts';

const github: TaskRequest['trigger'] = {
  kind: 'github',
  event: 'issue_comment',
  installationId: 3,
  repositoryId: 5,
  issueNumber: 2,
  mention: 'airlock',
  onPullRequest: false,
  commentId: 9,
  triggeredAt: '2026-11-01T10:00:00Z',
};
const request: RoutedRequest = {
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
const policy: RepositoryPolicy = { ...closedPolicy, model: 'gpt-a', models: ['gpt-a', 'gpt-b'] };
const facts = {
  owner: 'acme',
  name: 'shop',
  repositoryId: 5,
  installationId: 3,
  defaultBranch: 'main',
  private: true,
};
const good: AuthorizeInput = { request, policy, facts, canWrite: true, chat: null };
const notListed = {
  allowed: false,
  reason: aReason('repository-not-listed', '`acme/shop` is not listed in `x`.'),
} as const;

describe('authorize on GitHub and the API', () => {
  it('allows a writer on a listed repository, with the policy’s model and effort', () => {
    expect(authorize(good)).toEqual({
      kind: 'allowed',
      base: { branch: null },
      model: 'gpt-a',
      effort: 'medium',
    });
  });
  it('allows another base, an allowed model and another effort', () => {
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
  it('allows an API call without a requester, whose bearer token is the authority', () => {
    const call: RoutedRequest = { ...request, trigger: { kind: 'api' }, requester: null };
    expect(authorize({ ...good, request: call, canWrite: 'unknown' })).toMatchObject({ kind: 'allowed' });
  });
  it('allows help on a pull request', () => {
    const help: RoutedRequest = {
      ...request,
      ask: { kind: 'help' },
      trigger: { ...github, onPullRequest: true },
    };
    expect(authorize({ ...good, request: help })).toMatchObject({ kind: 'allowed' });
  });
});

describe('authorize on GitHub and the API', () => {
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
    ['a model outside it', { request: { ...request, options: { model: 'gpt-z' } } }, 'model-not-allowed'],
  ])('refuses %s', (_, over, code) => {
    expect(authorize({ ...good, ...over })).toMatchObject({ kind: 'refused', reason: { code } });
  });

  it.each<[string, Partial<AuthorizeInput>]>([
    ['no write access', { canWrite: false }],
    ['an unchecked permission', { canWrite: 'unknown' }],
  ])('gives a person with %s the same answer with any configuration', (_, over) => {
    const listed = authorize({ ...good, ...over, policy });
    expect(authorize({ ...good, ...over, policy: notListed })).toEqual(listed);
    expect(authorize({ ...good, ...over, request: { ...request, options: { model: 'gpt-z' } } })).toEqual(
      listed,
    );
  });

  it('names the allowed models in the refusal', () => {
    const verdict = authorize({ ...good, request: { ...request, options: { model: 'gpt-z' } } });
    expect(verdict.kind === 'refused' && verdict.reason.next).toContain('`gpt-a`, `gpt-b`');
  });
});

describe('authorize from Slack', () => {
  const maria: ChatPerson = { userId: 'U1', teamId: 'T1', name: 'Maria', kind: 'member', groups: ['S1'] };
  const chat = { person: maria, team: 'T1' };
  const slack: RoutedRequest = {
    ...request,
    taskId: 'slack-1',
    requester: null,
    trigger: {
      kind: 'slack',
      event: 'command',
      teamId: 'T1',
      channelId: 'C1',
      userId: 'U1',
      threadTs: null,
      messageTs: null,
      triggeredAt: '2026-11-01T10:00:00Z',
    },
  };
  const withAccess = (access: SlackAccess): RepositoryPolicy => ({ ...policy, slack: access });
  const open = withAccess({ kind: 'workspace' });
  const asked: AuthorizeInput = { request: slack, policy: open, facts, canWrite: 'unknown', chat };
  const listed = (channels: string[] | null, users: string[], groups: string[] = []): RepositoryPolicy =>
    withAccess({ kind: 'listed', channels, people: { users, groups } });

  it.each<[string, Partial<AuthorizeInput>]>([
    ['a member of the workspace', {}],
    ['somebody on the list, in a channel on the list', { policy: listed(['C1'], ['U1']) }],
    ['somebody of a group on the list', { policy: listed(null, [], ['S1']) }],
    ['somebody who may not write on GitHub, which is not asked', { canWrite: false }],
  ])('allows a request of %s', (_, over) => {
    expect(authorize({ ...asked, ...over })).toEqual({
      kind: 'allowed',
      base: { branch: null },
      model: 'gpt-a',
      effort: 'medium',
    });
  });

  it.each<[string, Partial<AuthorizeInput>, string]>([
    ['without Slack set up', { chat: null }, 'slack-not-set-up'],
    ['of an unknown person', { chat: { person: null, team: 'T1' } }, 'slack-person-unknown'],
    ['of a guest', { chat: { ...chat, person: { ...maria, kind: 'guest' } } }, 'slack-guest'],
    ['of another workspace', { chat: { ...chat, team: 'T2' } }, 'slack-other-workspace'],
    ['on a repository that Slack may not use', { policy }, 'slack-not-enabled'],
    ['on a repository that is not listed', { policy: notListed }, 'slack-not-enabled'],
    ['of somebody not on the list', { policy: listed(null, ['U2']) }, 'slack-person-not-listed'],
    ['in a channel not on the list', { policy: listed(['C2'], ['U1']) }, 'slack-channel-not-listed'],
    ['on a repository without the App', { facts: null }, 'not-installed'],
    [
      'with a model outside the policy',
      { request: { ...slack, options: { model: 'gpt-z' } } },
      'model-not-allowed',
    ],
  ])('refuses a request %s', (_, over, code) => {
    expect(authorize({ ...asked, ...over })).toMatchObject({ kind: 'refused', reason: { code } });
  });

  /** Asked on the page of a task in Slack, whose asker has left. */
  const onPage = (by: 'person' | 'operator'): RoutedRequest => ({
    ...slack,
    requester: by === 'person' ? request.requester : null,
    onPage: { repeats: 'slack-0', by, place: { installationId: 3, repositoryId: 5 } },
  });
  const stranger = { person: null, team: 'T1' };
  const person = { request: onPage('person'), canWrite: true, chat: stranger } as const;
  const operator = { request: onPage('operator'), chat: stranger };
  it.each<[string, Partial<AuthorizeInput>, string | null]>([
    ['a writer', person, null],
    ['a writer who is not among the people in Slack', { ...person, policy: listed(['C1'], []) }, null],
    ['the operator', operator, null],
    ['a reader', { ...person, canWrite: false }, 'no-write-access'],
    ['somebody whose access is unknown', { ...person, canWrite: 'unknown' }, 'permission-unknown'],
    ['a writer, for a closed channel', { ...person, policy: listed(['C2'], []) }, 'slack-channel-not-listed'],
    [
      'the operator, for a closed channel',
      { ...operator, policy: listed(['C2'], []) },
      'slack-channel-not-listed',
    ],
    ['a writer, where Slack is closed', { ...person, policy }, 'slack-not-enabled'],
    [
      'the operator, for another repository',
      { ...operator, facts: { ...facts, repositoryId: 6 } },
      'repository-changed',
    ],
    [
      'the operator, where the allowlist changed',
      { ...operator, policy: notListed },
      'repository-not-listed',
    ],
  ])('asks GitHub about who asked on the page of a task: %s', (_, over, code) => {
    const verdict = authorize({ ...asked, ...over });
    expect(verdict.kind === 'refused' ? verdict.reason.code : null).toBe(code);
  });

  it('says that the repository comes first when the first words only look like one', () => {
    const path: RoutedRequest = { ...slack, repository: { owner: 'src', name: 'index.ts' } };
    for (const over of [{ policy: notListed }, { facts: null }]) {
      const verdict = authorize({ ...asked, request: path, ...over });
      expect(verdict.kind === 'refused' && verdict.reason.next).toContain(
        'if `src/index.ts` was part of what is to be done, write the repository before it',
      );
    }
  });

  it('does not reveal which repositories exist', () => {
    const refusals = [notListed, policy].flatMap((is) =>
      [facts, null].map((found) => authorize({ ...asked, policy: is, facts: found })),
    );
    expect(refusals).toEqual(refusals.map(() => refusals[0]));
  });

  it('gives an outsider the same answer with any configuration', () => {
    const guest = { ...chat, person: { ...maria, kind: 'guest' } as const };
    const answers = [open, policy, notListed, listed(['C2'], ['U2'])].flatMap((is) =>
      [facts, null].map((found) => authorize({ ...asked, chat: guest, policy: is, facts: found })),
    );
    expect(answers).toEqual(answers.map(() => answers[0]));
  });

  it('ignores the Slack person for requests on GitHub and over the API', () => {
    expect(authorize({ ...good, policy: open, chat, canWrite: false })).toMatchObject({
      reason: { code: 'no-write-access' },
    });
  });
});
