import { aReason } from '../../test/fixtures/a-reason.ts';
import type { KnownBlock } from '@slack/types';
import { describe, expect, it } from 'vitest';
import { emptyReceipt, totalOnly } from '../core/grant.ts';
import type { Progress } from '../core/progress.ts';
import type { TaskView } from '../core/task-view.ts';
import type { TaskOutcome } from '../core/task.ts';
import { slackMention, slackView } from '../../test/fixtures/sample-view.ts';
import { taskMessage } from './task-message.ts';

const acceptedAt = '2026-11-21T06:00:00.000Z';
const accepted: TaskView = {
  ...slackView,
  phase: 'route',
  repository: null,
  routedBy: null,
  instruction: 'Fix the rounding\nof the split',
  acceptedAt,
  elapsedMs: 125_000,
};
const run = (command: string, exitCode: number | null) => ({
  command,
  exitCode,
  status: exitCode === null ? ('running' as const) : ('completed' as const),
  outputTail: '',
  startedAt: Date.parse(acceptedAt) + 113_000,
  durationMs: null,
});
const progress: Progress = {
  threadId: null,
  plan: [
    { step: 'Read the code', status: 'completed' },
    { step: 'Mend it', status: 'inProgress' },
    { step: 'Test', status: 'pending' },
  ],
  commands: [run('npm test', null)],
  commandsTotal: 1,
  changedFiles: [],
  message: null,
  finalMessage: null,
  turn: null,
  lastError: null,
  resumed: null,
  rolloutPath: null,
  unknownEvents: 0,
};
const routed: TaskView = {
  ...accepted,
  phase: 'codex',
  repository: { owner: 'acme', name: 'shop' },
  routedBy: 'channel',
  model: 'gpt-5',
  effort: 'high',
  progress,
};
const ended = (outcome: TaskOutcome, more: Partial<TaskView> = {}): TaskView => ({
  ...routed,
  status: 'ended',
  phase: 'ended',
  outcome,
  ...more,
});
const pullRequest = {
  number: 7,
  title: 'Round fairly',
  url: 'https://github.com/acme/shop/pull/7',
  headRef: 'codex/x',
  headSha: 'a'.repeat(40),
  draft: false,
};

const shown = (view: TaskView): string =>
  taskMessage(view, slackMention)
    .blocks.flatMap((block: KnownBlock) => {
      if (block.type === 'section') return [block.text?.text ?? ''];
      if (block.type === 'context')
        return block.elements.map((element) => ('text' in element ? element.text : ''));
      return [];
    })
    .join('\n');

it('links to the page of the task where there is one', () => {
  const { blocks } = taskMessage(routed, slackMention, 'https://airlock.example/t/slack-1');
  expect(JSON.stringify(blocks.at(-1))).toContain(' · <https://airlock.example/t/slack-1|page>');
});

const buttonsOf = (view: TaskView): string[] =>
  Array.from(
    JSON.stringify(taskMessage(view, slackMention).blocks).matchAll(/"action_id":"([^"]+)"/g),
    ([, id]) => id ?? '',
  );

describe('the post of a running task', () => {
  it('shows the requester, the request, the repository with the reason, the phase and the duration', () => {
    const text = shown(routed);
    expect(text).toContain('<@U1> asked: *Fix the rounding*');
    expect(text).toContain("`acme/shop` · this channel's default");
    expect(text).toContain('⏳ *Codex is working* · 2 min 5 s');
    expect(text).toContain('Step 2 of 3 · 1 command so far');
    expect(text).toContain('☑ Read the code\n▶ *Mend it*\n☐ Test');
    expect(text).toContain('Running `npm test` for 12 s');
    expect(text).toContain('task `abcd1234` · gpt-5 high');
  });

  it.each([
    ['success', 0, 'Ran `npm test`'],
    ['failure', 3, 'Ran `npm test`: exit code 3'],
  ])('shows the last command between commands, with its %s', (_, exitCode, expected) => {
    const lines = shown({ ...routed, progress: { ...progress, commands: [run('npm test', exitCode)] } });
    expect(lines.split('\n')).toContain(expected);
  });

  it.each([
    [14, '⏳ *Waiting for a free sandbox, place 14 in the queue* · 2 min 5 s'],
    [1, '⏳ *Waiting for a free sandbox, next in the queue* · 2 min 5 s'],
    [null, '⏳ *Preparing a sandbox* · 2 min 5 s'],
  ])('shows its place in the queue, if it waits (%s)', (queuePosition, line) => {
    const waiting: TaskView = { ...routed, phase: 'slot', progress: null, queuePosition };
    expect(shown(waiting).split('\n')).toContain(line);
    expect(buttonsOf(waiting)).toContain('task.cancel');
  });

  it('has the buttons Change, Cancel with a confirmation, and Log', () => {
    expect(buttonsOf(routed)).toEqual(['task.change', 'task.cancel', 'task.log']);
    expect(JSON.stringify(taskMessage(routed, slackMention).blocks)).toContain('Cancel this task?');
  });

  it('lists blocked requests', () => {
    const row = {
      method: 'GET',
      host: 'evil.example',
      path: '/x',
      rule: 'host',
      reason: 'not allowed',
      count: 3,
      at: 0,
    };
    expect(shown({ ...routed, receipt: { ...emptyReceipt, denied: [row], deniedTotal: 5 } })).toContain(
      '⛔ Blocked attempts: 5\n• `GET evil.example/x` (3 times): not allowed\n• and 2 more',
    );
  });

  it.each([null, { kind: 'no-change', summary: '' } as const])(
    'shows failed requests on a separate line, never as blocked (%j)',
    (outcome) => {
      const failed = [
        {
          host: 'api.openai.com',
          fault: 'upstream',
          rule: 'upstream.status',
          reason: 'api.openai.com answered <!here> 503',
          count: 2,
        },
      ] as const;
      const text = shown({ ...routed, outcome, receipt: { ...emptyReceipt, failed, failedTotal: 2 } });
      expect(text).toContain('⚠️ 2 requests failed: api.openai.com answered &lt;!here&gt; 503');
      expect(text).not.toContain('Blocked');
    },
  );

  it('names the command during which a request was blocked, if known', () => {
    const row = {
      method: 'GET',
      host: 'evil.example',
      path: '/x',
      rule: 'host',
      reason: 'no',
      count: 1,
      at: 0,
    };
    const refused = (command: string | null) =>
      shown({ ...routed, receipt: { ...emptyReceipt, denied: [{ ...row, command }], deniedTotal: 1 } });
    expect(refused('curl <!channel>')).toContain(
      '• `GET evil.example/x`: no, while `curl &lt;!channel&gt;` ran',
    );
    expect(refused(null)).not.toContain('while');
  });

  it.each([null, { kind: 'no-change', summary: '' } as const])(
    'shows the result of setup in one line (%j)',
    (outcome) => {
      const setup = {
        status: 'failed',
        exitCode: 3,
        durationMs: 4_200,
        fromCache: false,
        cacheRefused: null,
        optional: true,
      } as const;
      expect(shown({ ...routed, setup, outcome }).split('\n')).toContain(
        '⚠️ Dependencies may be missing: setup ended with exit status 3 after 4 s',
      );
    },
  );

  it('lists the reached hosts after the end of the task', () => {
    const host = (n: number) => ({
      host: `h${n}.example`,
      requests: n,
      bytesUp: n * 100,
      bytesDown: n * 1000,
    });
    const receipt = { ...emptyReceipt, hosts: [1, 2, 3, 4, 5, 6, 7].map(host) };
    expect(shown({ ...routed, receipt })).not.toContain('Reached');
    const lines = shown({ ...routed, receipt, outcome: { kind: 'no-change', summary: '' } }).split('\n');
    const line = lines.find((text) => text.startsWith('Reached'));
    expect(line).toMatch(/^Reached: `h7\.example` \(7 requests, 700 B sent, 7\.0 kB received\), `h6/);
    expect(line).toMatch(/, 2 more$/);
  });

  it('names the pull request that the task continues', () => {
    expect(shown({ ...routed, continues: { number: 7, url: pullRequest.url } })).toContain(
      `continues <${pullRequest.url}|pull request 7>`,
    );
  });

  it('has no Change button before the task has a repository', () => {
    expect(buttonsOf(accepted)).toEqual(['task.cancel', 'task.log']);
  });
});

describe('the post of a task that waits for a choice', () => {
  const choices = (n: number) =>
    Array.from({ length: n }, (_, index) => ({ owner: 'acme', name: `r${index}` }));

  it('has a button for each of up to five repositories', () => {
    const view = { ...accepted, choices: choices(5) };
    expect(buttonsOf(view)).toEqual([...[1, 2, 3, 4, 5].map((n) => `task.choose.${n}`), 'task.cancel']);
    expect(JSON.stringify(taskMessage(view, slackMention).blocks)).toContain(
      JSON.stringify(JSON.stringify({ taskId: 'slack-1', repository: { owner: 'acme', name: 'r0' } })),
    );
  });

  it('has a searchable menu with the task id for more repositories', () => {
    const view = { ...accepted, choices: choices(6) };
    expect(buttonsOf(view)).toEqual(['task.choose', 'task.cancel']);
    expect(taskMessage(view, slackMention).blocks).toContainEqual(
      expect.objectContaining({ type: 'actions', block_id: 'choice:slack-1' }),
    );
  });
});

describe('the post of an ended task', () => {
  it('links the pull request and shows the evidence', () => {
    const view = ended(
      { kind: 'pull-request', pullRequest },
      {
        change: { files: 2, insertions: 10, deletions: 3 },
        progress: { ...progress, commands: [run('npm test', 1), run('npm test', 0)] },
        usage: totalOnly(42_000),
        costUsd: 0.42,
      },
    );
    const text = shown(view);
    expect(text).toContain(`✅ *<${pullRequest.url}|Round fairly>*\nPull request 7 is ready for review`);
    expect(text).toContain(
      '2 files changed, +10 −3\n42,000 tokens, about $0.42\n\nReported from inside the sandbox:\nTests passed: `npm test`',
    );
    expect(taskMessage(view, slackMention).text).toBe('✅ Pull request 7 is ready for review: Round fairly');
    expect(buttonsOf(view)).toEqual(['task.retry', 'task.log']);
  });

  it('shows what an approval publishes', () => {
    const reason = aReason('secret', 'Held.');
    const patch = { text: 'diff --git a/x b/x\n+<!channel>\n', complete: true };
    const text = shown(ended({ kind: 'held', reason, changeHash: 'ab12', patch }));
    expect(text).toContain('The change:\n```\ndiff --git a/x b/x\n+&lt;!channel&gt;\n```');
  });

  it('warns on top about a run that tried to send something elsewhere', () => {
    const row = { method: 'POST', host: 'evil.example', path: '/drop', rule: 'host.not-granted' };
    const denied = [{ ...row, reason: 'no', count: 1, at: 0 }];
    const receipt = { ...emptyReceipt, denied, deniedTotal: 1 };
    const draft = { ...pullRequest, draft: true };
    const text = shown(ended({ kind: 'pull-request', pullRequest: draft }, { receipt }));
    expect(text).toMatch(
      /⚠️ \*This run tried to send or write where it may not\. Airlock blocked it\* \(`POST evil\.example\/drop`\)[^]*📝 \*<[^]*Pull request 7 \(draft\) was opened/,
    );
    expect(text).not.toContain('✅');
  });

  it.each<[string, Progress['commands'], string]>([
    ['there were none', [run('ls', 0)], '⚠️ No tests were run'],
    [
      'the last run hides its result',
      [run('npm test', 0), run('npm test | tail', 0)],
      '⚠️ Tests were run, result not known: `npm test | tail`',
    ],
    ['the last run failed', [run('npm test', 0), run('npm test', 1)], '⚠️ Tests failed with exit code 1'],
  ])('reports about the tests that %s', (_, commands, expected) => {
    const view = ended(
      { kind: 'pull-request', pullRequest },
      { change: { files: 1, insertions: 1, deletions: 0 }, progress: { ...progress, commands } },
    );
    expect(shown(view)).toContain(expected);
  });

  it.each<[string, TaskOutcome, string, string[]]>([
    [
      'a commit on an existing pull request',
      { kind: 'pull-request', pullRequest, added: true },
      `✅ *<${pullRequest.url}|Round fairly>*\nA commit was added to pull request 7`,
      ['task.retry', 'task.log'],
    ],
    [
      'no change',
      { kind: 'no-change', summary: 'It is `fine`' },
      '☑️ Nothing was changed*\nIt is `fine`',
      ['task.retry', 'task.log'],
    ],
    [
      'a change that was left out as a whole',
      { kind: 'no-change', summary: 'Added a tool.', leftOut: 'Left out: tool/ (…).' },
      '⚠️ Nothing was published*\nLeft out: tool/ (…).',
      ['task.retry', 'task.log'],
    ],
    [
      'a commit without a file that was left out',
      { kind: 'pull-request', pullRequest, added: true, leftOut: 'Left out: a (…).' },
      'Left out: a (…).',
      ['task.retry', 'task.log'],
    ],
    [
      'a held change that can be approved',
      { kind: 'held', reason: aReason('x', 'It has a key in it.'), changeHash: 'a'.repeat(64) },
      '✋ The change is held back*\nIt has a key in it.',
      ['task.approve', 'task.retry', 'task.log'],
    ],
    [
      'a held change that needs a second person',
      {
        kind: 'held',
        reason: aReason('x', 'It has a key in it.'),
        changeHash: 'a'.repeat(64),
        secondPerson: true,
      },
      '✋ The change is held back*\nIt has a key in it.\n*Cause:* GitHub. *Next:* Ask again.\n\nEveryone who can use this repository, except who asked,',
      ['task.approve', 'task.retry', 'task.log'],
    ],
    [
      'a held change that cannot be approved',
      { kind: 'held', reason: aReason('x', 'Workflows.'), changeHash: null },
      'Workflows.',
      ['task.retry', 'task.log'],
    ],
    [
      'a failure with a kept change',
      { kind: 'failed', reason: aReason('x', 'GitHub is down.'), changeKept: true },
      'GitHub is down.\n*Cause:* GitHub. *Next:* Ask again.\n\nThe change is kept',
      ['task.retry', 'task.log'],
    ],
    [
      'a base branch that was deleted meanwhile, by name',
      {
        kind: 'failed',
        reason: aReason('base-branch-gone', 'The base branch `release/1` was deleted.'),
        changeKept: true,
      },
      'The base branch `release/1` was deleted.\n*Cause:* GitHub. *Next:* Ask again.\n\nThe change is kept',
      ['task.retry', 'task.log'],
    ],
    ['a cancellation', { kind: 'cancelled', by: 'Jo' }, '⏹️ Cancelled by Jo', ['task.retry', 'task.log']],
    [
      'a refusal',
      { kind: 'refused', reason: aReason('x', 'Not you.') },
      '🚫 Not started*\nNot you.',
      ['task.retry'],
    ],
    ...['slack-guest', 'slack-other-workspace', 'slack-bot', 'slack-deactivated'].map(
      (code): [string, TaskOutcome, string, string[]] => [
        `a refusal that no retry changes (${code})`,
        { kind: 'refused', reason: aReason(code, 'Not you.') },
        '🚫 Not started*\nNot you.',
        [],
      ],
    ),
  ])('shows %s', (_, outcome, expected, buttons) => {
    expect(shown(ended(outcome))).toContain(expected);
    expect(buttonsOf(ended(outcome))).toEqual(buttons);
  });

  it('binds an approval to the hash of the shown change', () => {
    const changeHash = 'b'.repeat(64);
    const message = taskMessage(ended({ kind: 'held', reason: aReason('x', 'm'), changeHash }), slackMention);
    expect(JSON.stringify(message.blocks)).toContain(
      JSON.stringify(JSON.stringify({ taskId: 'slack-1', changeHash })),
    );
  });

  it('is only the answer to a question', () => {
    const message = taskMessage(
      ended({ kind: 'answered', message: '**Two** tasks: `a`, `b`' }),
      slackMention,
    );
    expect(message.blocks).toHaveLength(1);
    expect(message.text).toContain('tasks');
  });
});
