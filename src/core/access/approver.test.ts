import { describe, expect, it } from 'vitest';
import { request, slackRequest } from '../../../test/fixtures/sample-task.ts';
import type { Approval } from '../authorization.ts';
import type { TaskRequest } from '../task.ts';
import { askersOf, isAsker } from './approver.ts';

const maria = { login: 'maria', id: 3 };
const api: TaskRequest = { ...request, trigger: { kind: 'api' }, requester: null };
const bySlack = (slackUserId: string) => ({ slackUserId });
const byGithub = (id: number) => ({ github: { login: 'whatever', id } });
const onPage = (of: TaskRequest, by: 'person' | 'operator', requester = of.requester): TaskRequest => ({
  ...of,
  requester,
  askedBefore: askersOf(of),
  onPage: { repeats: of.taskId, by, place: null },
});
const retried = (by: TaskRequest, of: TaskRequest): TaskRequest => ({ ...by, askedBefore: askersOf(of) });

describe('the approver', () => {
  it.each<[string, Omit<Approval, 'by' | 'changeHash'>, TaskRequest, TaskRequest['requester'], boolean]>([
    ['the requester on GitHub', byGithub(3), request, maria, true],
    ['somebody else on GitHub', byGithub(4), request, maria, false],
    ['the requester in Slack', bySlack('U1'), slackRequest, null, true],
    ['somebody else in Slack', bySlack('U2'), slackRequest, null, false],
    ['the GitHub account of the requester in Slack', byGithub(5), slackRequest, { login: 'm', id: 5 }, true],
    ['the API, for a task from the API', {}, api, null, true],
    ['the API, for a task from GitHub', {}, request, maria, false],
    ['the API, for a task from Slack', {}, slackRequest, null, false],
    ['the API, for a task that a person ran again', {}, retried(request, api), maria, true],
    ['the operator, who ran it again on its page', {}, onPage(slackRequest, 'operator'), null, true],
    ['the operator, for a task that a person ran again', {}, onPage(request, 'person'), maria, false],
    ['who ran it again on its page', byGithub(3), onPage(slackRequest, 'person', maria), null, true],
    ['who asked in Slack before that', bySlack('U1'), onPage(slackRequest, 'person', maria), null, true],
    [
      'who asked before a retry',
      byGithub(3),
      retried({ ...request, requester: { login: 'ben', id: 4 } }, request),
      { login: 'ben', id: 4 },
      true,
    ],
    [
      'who asked in Slack before two retries',
      bySlack('U1'),
      retried(slackRequest, retried(api, slackRequest)),
      null,
      true,
    ],
    [
      'who retried',
      byGithub(4),
      retried({ ...request, requester: { login: 'ben', id: 4 } }, request),
      null,
      true,
    ],
  ])('that is %s is recognized as who asked or not', (_, who, asked, account, expected) => {
    expect(isAsker({ by: '', changeHash: '', ...who }, { request: asked, account })).toBe(expected);
  });
});
