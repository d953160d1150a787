/** What the tests of this folder work with: one request from GitHub, one from Slack, and what was authorized for them. */
import type { ChatPerson } from '../core/chat.ts';
import type { Authorization } from '../core/ports.ts';
import type { RepositoryPolicy } from '../core/policy.ts';
import type { RepositoryFacts, RoutedRequest, SlackTrigger, TaskRequest } from '../core/task.ts';

export const acceptedAt = '2026-11-21T10:00:00.000Z';

export const request: RoutedRequest = {
  taskId: 'gh-1-c2',
  shortId: '0a1b2c3d',
  acceptedAt,
  repository: { owner: 'acme', name: 'app' },
  trigger: {
    kind: 'github',
    event: 'issue_comment',
    installationId: 1,
    repositoryId: 1,
    issueNumber: 7,
    onPullRequest: false,
    commentId: 2,
    triggeredAt: acceptedAt,
  },
  requester: { login: 'maria', id: 3 },
  ask: { kind: 'run' },
  instruction: 'fix it',
  options: {},
};

export const slackTrigger: SlackTrigger = {
  kind: 'slack',
  event: 'mention',
  teamId: 'T1',
  channelId: 'C1',
  userId: 'U1',
  threadTs: '1700000000.000100',
  messageTs: '1700000000.000200',
  triggeredAt: acceptedAt,
};

export const slackRequest: TaskRequest = {
  ...request,
  taskId: 'slack-1',
  repository: null,
  trigger: slackTrigger,
  requester: null,
};

export const member: ChatPerson = { userId: 'U1', teamId: 'T1', name: 'Maria', kind: 'member', groups: [] };

export const facts: RepositoryFacts = {
  owner: 'acme',
  name: 'app',
  repositoryId: 1,
  installationId: 1,
  defaultBranch: 'main',
  private: false,
};

export const authorization: Authorization = {
  facts,
  baseBranch: 'main',
  baseSha: 'a'.repeat(40),
  model: 'm',
  effort: 'medium',
  models: ['m'],
  limits: { minutes: 30, tokens: 1000 },
  draft: false,
  setup: null,
  alsoRead: [],
  lfs: false,
  extraHosts: [],
  isConfiguredBase: true,
  continues: null,
  requester: request.requester,
};

export const policy: RepositoryPolicy = {
  allowed: true,
  matchedBy: 'acme/*',
  aliases: [],
  baseBranch: null,
  model: 'm',
  models: ['m'],
  effort: 'medium',
  setup: null,
  alsoRead: [],
  lfs: false,
  extraHosts: [],
  limits: { minutes: 1, tokens: 1 },
  draft: false,
  slack: { kind: 'workspace' },
};
