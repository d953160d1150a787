import { expect, it } from 'vitest';
import { request } from '../../../test/fixtures/sample-task.ts';
import type { LedgerEntry } from '../../core/ledger.ts';
import type { PullRequestRef } from '../../core/task.ts';
import { ledgerEntryOf } from './ledger-entry.ts';
import { finish, openState, type RecordState } from './record-state.ts';

const opened = openState(request, 'nonce', 0);
const choices = [{ owner: 'acme', name: 'app' }];
const asking: RecordState = { ...opened, choices };
const slack = { kind: 'slack', event: 'command', teamId: 'T1', channelId: 'C1', userId: 'U1' } as const;
const trigger = { ...slack, threadTs: null, messageTs: null, triggeredAt: request.acceptedAt };
const issue = { title: 't'.repeat(300), body: 'not kept' };
const pullRequest: PullRequestRef = {
  number: 7,
  title: 'Split it',
  url: '',
  headRef: '',
  headSha: '',
  draft: false,
};
const withIssue: RecordState =
  request.trigger.kind === 'github'
    ? { ...opened, request: { ...request, trigger: { ...request.trigger, issueNumber: 12, issue } } }
    : opened;

it.each<[string, RecordState, Partial<LedgerEntry>]>([
  ['the title of the issue, cut, and its number', withIssue, { title: 't'.repeat(200), issue: 12 }],
  [
    'the title of the pull request, once there is one',
    finish(withIssue, { kind: 'pull-request', pullRequest }, 1),
    { title: 'Split it', issue: 12, pull: 7, state: 'ended' },
  ],
  ['no words from Slack', { ...opened, request: { ...request, trigger } }, { title: null, issue: null }],
  ['that it waits for a choice', asking, { state: 'choosing' }],
  ['that it no longer does', finish(asking, { kind: 'no-change', summary: '' }, 1), { state: 'ended' }],
])('has %s', (_what, state, entry) => {
  expect(ledgerEntryOf(state, null)).toMatchObject(entry);
  expect(JSON.stringify(ledgerEntryOf(state, null))).not.toMatch(/fix it|not kept/);
});
