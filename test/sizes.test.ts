/** The most that a task can hold: every post arrives, cut with a sentence, and with its sums whole. */
import { aReason } from './fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import { messageProblems } from '../simulators/slack/block-limits.ts';
import type { Receipt } from '../src/core/grant.ts';
import type { TaskOutcome } from '../src/core/task.ts';
import type { TaskView } from '../src/core/task-view.ts';
import { lineReply, progressComment } from '../src/github/comments.ts';
import { commitMessage } from '../src/publish/git-commit.ts';
import { commitReport, followUpComment, pullRequestBody } from '../src/publish/pull-request-text.ts';
import { receiptCheck } from '../src/publish/receipt-check.ts';
import { taskMessage } from '../src/slack/task-message.ts';
import { utf8Length } from '../src/lib/utf8.ts';
import { publicationOf, run } from './fixtures/sample-publication.ts';
import { slackMention, slackView } from './fixtures/sample-view.ts';
import { textsOf } from './slack/hostile-views.ts';

const fillers = ['a', '😀', '&', '`', '\\|', '漢'];
const many = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index));

function bigOf(filler: string) {
  const long = (length: number) => filler.repeat(Math.ceil(length / filler.length)).slice(0, length);
  // Quoted, because hundreds of `&` take the shell's parser a while.
  const commands = many(100, (index) => run(`echo ${index} '${long(500)}`, 0));
  const receipt: Receipt = {
    hosts: many(100, (index) => ({ host: `h${index}.${long(60)}`, requests: 1, bytesUp: 1, bytesDown: 1 })),
    denied: many(50, (index) => ({
      method: 'POST',
      host: `d${index}.${long(60)}`,
      path: `/${long(200)}`,
      rule: 'host.not-granted',
      reason: long(300),
      count: 1,
      at: 0,
      command: long(500),
    })),
    deniedTotal: 200,
    failed: many(20, (index) => ({
      host: `f${index}`,
      fault: 'upstream' as const,
      rule: 'r',
      reason: `${index} ${long(400)}`,
      count: 1,
    })),
    failedTotal: 30,
  };
  const { change, request } = publicationOf();
  const publication = publicationOf(
    {
      answer: { title: long(300), summary: long(9000), valid: true },
      remarks: many(50, () => long(600)),
      request: { ...request, instruction: long(60_000) },
      change: {
        ...change,
        skipped: many(500, (index) => ({
          type: 'skipped' as const,
          path: `${index}/${long(200)}`,
          why: 'ignored' as const,
        })),
      },
    },
    {
      commands,
      commandsTotal: 400,
      receipt,
      added: many(50, () => ({ by: long(80), text: long(4000) })),
      setup: {
        command: long(2000),
        status: 'ok',
        exitCode: 0,
        durationMs: 1,
        fromCache: false,
        services: false,
        cacheRefused: null,
        restored: { paths: many(10, () => long(200)), total: 99 },
        pathsLeftBySetup: { paths: many(10, () => long(200)), total: 99 },
      },
    },
  );
  const pullRequest = {
    number: 7,
    title: long(300),
    url: 'https://github.com/acme/shop/pull/7',
    headRef: 'a',
    headSha: 'b'.repeat(40),
    draft: false,
  };
  const reason = aReason('x', long(3000));
  const patch = { text: `+${long(60_000)}\n`, complete: true };
  const outcomes: readonly (TaskOutcome | null)[] = [
    null,
    { kind: 'pull-request', pullRequest, leftOut: long(3000) },
    {
      kind: 'pull-request',
      pullRequest,
      added: true,
      leftOut: long(3000),
      commit: {
        sha: 'c'.repeat(40),
        summary: long(9000),
        remarks: many(50, () => long(600)),
        report: commitReport(publication),
      },
    },
    {
      kind: 'patch',
      reason,
      patch,
      summary: long(9000),
      remarks: many(50, () => long(600)),
      leftOut: long(3000),
    },
    { kind: 'held', reason, changeHash: 'a'.repeat(64), patch },
    { kind: 'failed', reason, changeKept: true, patch },
    { kind: 'no-change', summary: long(9000), leftOut: long(3000) },
    { kind: 'replied', text: long(9000) },
    { kind: 'refused', reason },
    { kind: 'cancelled', by: long(300) },
  ];
  const viewWith = (outcome: TaskOutcome | null): TaskView => ({
    ...slackView,
    requester: 'mona',
    instruction: long(60_000),
    base: { branch: long(250), sha: 'a'.repeat(40) },
    model: long(150),
    effort: 'high',
    receipt,
    change: { files: 500, insertions: 1, deletions: 1 },
    attachmentsLeft: long(3000),
    progress: {
      threadId: null,
      resumed: null,
      plan: many(60, () => ({ step: long(500), status: 'inProgress' as const })),
      commands: [...commands, { ...run(long(500), null), outputTail: long(2000) }].slice(-100),
      commandsTotal: 400,
      changedFiles: [],
      message: long(2000),
      finalMessage: null,
      turn: null,
      lastError: null,
      rolloutPath: null,
      unknownEvents: 0,
    },
    outcome,
  });
  return { publication, views: outcomes.map(viewWith), long };
}

/** What every text that arrives must hold to. */
function expectWhole(text: string): void {
  expect(text.isWellFormed()).toBe(true);
  expect(text.split('<details>').length).toBe(text.split('</details>').length);
}

describe.each(fillers)('the most that a task can hold, of %j', (filler) => {
  const { publication, views, long } = bigOf(filler);

  it('fits into a pull request with its sums', () => {
    const answer = { ...publication.answer, pullRequestText: `## Why\n\n${long(9000)}` };
    for (const body of [
      pullRequestBody(publication),
      pullRequestBody({ ...publication, answer, template: '## Why\n' }),
      followUpComment(publication, 'c'.repeat(40)),
    ]) {
      expectWhole(body);
      expect(body.length).toBeLessThanOrEqual(65_536);
      expect(body).toMatch(/_Shortened: the text has 9000 characters\._|evidence is left out/);
      expect(body).toContain('⛔ **Blocked attempts: 200**');
      expect(body).toContain('among the last 100 of 400 commands that Codex ran');
      expect(leftOutIn(body)).toBe(500);
      expect(body).toMatch(/100 requests, /);
    }
    expect(pullRequestBody(publication)).toMatch(/\n\nCloses #12\n\n<!-- airlock:task=gh-1-c7 -->$/);
  });

  it('fits into a check run', () => {
    const { summary, text } = receiptCheck(publication, 'c'.repeat(40), 7);
    for (const one of [summary, text]) {
      expectWhole(one);
      expect(utf8Length(one)).toBeLessThanOrEqual(65_535);
    }
    expect(summary).toContain('**100 allowed** to 100 hosts, **200 blocked**, **30 failed**');
    expect(leftOutIn(text)).toBe(500);
  });

  it('fits into a commit message, whose trailers stay', () => {
    const message = commitMessage(publication.answer, publication.request, null);
    expectWhole(message);
    expect(message).toMatch(
      /\n\n\(Shortened: the pull request has more of it\.\)\n\nAirlock-Task: gh-1-c7\n/,
    );
  });

  it.each(views.map((view) => [view.outcome?.kind ?? 'running', view] as const))(
    'fits into a comment: %s',
    (_, view) => {
      const comment = progressComment(view, 'https://airlock.example/tasks/1');
      expectWhole(comment);
      expect(comment.length).toBeLessThanOrEqual(65_000);
      expect(comment).toContain('Blocked attempts: 200');
      expect(comment).toMatch(/27 more requests failed/);
      expect(comment).toMatch(/\[log\]\(https:\/\/airlock\.example\/tasks\/1\)<\/sub>$/);
    },
  );

  it.each(views.map((view) => [view.outcome?.kind ?? 'running', view] as const))(
    'fits into a message in Slack: %s',
    (_, view) => {
      const { brief: _brief, ...message } = taskMessage(view, slackMention);
      expect(messageProblems(message)).toEqual([]);
      const { mrkdwn } = textsOf(message.blocks);
      for (const text of [...mrkdwn, message.text]) expect(text.isWellFormed()).toBe(true);
      for (const text of mrkdwn) expect(text.split('```').length % 2).toBe(1);
      expect(mrkdwn.join('\n')).toMatch(/Blocked attempts: 200[^]*27 more requests failed/);
    },
  );

  it('fits into a reply to a line comment', () => {
    const reply = lineReply(long(5000), { kind: 'no-change', summary: '' });
    expectWhole(reply);
    expect(reply).toMatch(/_Shortened: the text has 5000 characters\._$/);
  });
});

it('says in Slack that an answer is shortened', () => {
  const replied = bigOf('a').views.find((view) => view.outcome?.kind === 'replied') ?? slackView;
  const { mrkdwn } = textsOf(taskMessage(replied, slackMention).blocks);
  expect(mrkdwn).toContain('_Shortened: the text has 9000 characters._');
});

/** Files that a text lists as left out, and those that it counts. */
function leftOutIn(text: string): number {
  const [, list = ''] = /\nLeft out:\n\n((?:- .*\n)+)/.exec(`${text}\n`) ?? [];
  const [, more = '0'] = /- and (\d+) more\n$/.exec(list) ?? [];
  return list.split('\n').length - 1 - (more === '0' ? 0 : 1) + Number(more);
}
