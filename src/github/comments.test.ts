import { aReason } from '../../test/fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import { emptyReceipt, type Receipt, totalOnly } from '../core/grant.ts';
import type { Progress } from '../core/progress.ts';
import { taskPhases, type TaskOutcome } from '../core/task.ts';
import type { TaskView } from '../core/task-view.ts';
import { foldedComment, lineReply, progressComment } from './comments.ts';
import { slackView } from '../../test/fixtures/sample-view.ts';

const progress: Progress = {
  threadId: null,
  plan: [
    { step: 'Reproduce', status: 'completed' },
    { step: 'Fix `split()`', status: 'inProgress' },
    { step: 'Test', status: 'pending' },
  ],
  commands: [
    { command: 'ls', exitCode: 0, status: 'completed', outputTail: 'a', startedAt: 1000, durationMs: 5 },
    {
      command: 'npm test',
      exitCode: null,
      status: 'running',
      outputTail: 'ok 1\nok 2\n',
      startedAt: Date.parse('2026-11-21T10:00:53.000Z'),
      durationMs: null,
    },
  ],
  commandsTotal: 2,
  changedFiles: [],
  message: null,
  finalMessage: null,
  turn: null,
  lastError: null,
  resumed: null,
  rolloutPath: null,
  unknownEvents: 0,
};
const step = (status: 'completed' | 'pending') => ({ step: 'x', status });
const run = (command: string, exitCode: number) =>
  ({ command, exitCode, status: 'completed', outputTail: '', startedAt: 0, durationMs: 1 }) as const;
const denied = {
  method: 'POST',
  host: 'evil.example',
  path: '/drop',
  rule: 'host',
  reason: 'evil.example is not a host of this task',
  count: 2,
  at: 0,
};
const receipt: Receipt = { ...emptyReceipt, denied: [denied], deniedTotal: 2 };
const view: TaskView = {
  ...slackView,
  taskId: 'gh-5-c9',
  shortId: '0123abcd',
  origin: 'github',
  routedBy: null,
  issueNumber: 2,
  requester: 'mona',
  instruction: 'fix it',
  acceptedAt: '2026-11-21T10:00:00.000Z',
  elapsedMs: 65_000,
  model: 'm',
  effort: 'medium',
  progress,
  receipt,
};
const taskUrl = 'https://airlock.example/tasks/gh-5-c9';

describe('the comment of a running task', () => {
  it('shows the phase, the plan, the current command with its output, and the blocked requests', () => {
    expect(progressComment(view, taskUrl)).toBe(
      [
        '⏳ **Codex is working** · 1 min 5 s',
        'Reported from inside the sandbox:',
        'Step 2 of 3 · 2 commands so far',
        '- [x] Reproduce\n- [ ] **Fix \\`split\\(\\)\\`**\n- [ ] Test',
        'Running `npm test` for 12 s',
        '```text\nok 1\nok 2\n```',
        'Blocked attempts: 2',
        '- `POST evil.example/drop` (2 times): evil.example is not a host of this task',
        '<sub>task `0123abcd` · m medium · 1 min 5 s · [log](https://airlock.example/tasks/gh-5-c9)</sub>',
      ].join('\n\n'),
    );
  });
  it('names failed requests on a line of their own and never as blocked', () => {
    const failed = [
      {
        host: 'api.openai.com',
        fault: 'ours',
        rule: 'openai.unauthorized',
        reason: 'OpenAI refused the API key of @admin',
        count: 1,
      },
    ] as const;
    const text = progressComment({ ...view, receipt: { ...emptyReceipt, failed, failedTotal: 1 } }, taskUrl);
    expect(text).toMatch(
      /\n\n⚠️ 1 request failed on our side: OpenAI refused the API key of [^\n]*admin\n\n/,
    );
    expect(text).not.toMatch(/Blocked|[^\u200B]@admin/);
  });
  it.each([null, { kind: 'no-change', summary: 's' } as const])(
    'names the attachments that Codex did not get, whatever they are called: %j',
    (outcome) => {
      const attachmentsLeft = 'Codex did not get these attachments: @ada/x [a](b).pdf is empty.';
      const comment = progressComment({ ...view, attachmentsLeft, outcome }, null);
      expect(comment).toMatch(/📎 Codex did not get these attachments: .*x.*a.*\.pdf is empty\./);
      expect(comment).not.toMatch(/[^\\`]@ada|\]\(b\)/);
    },
  );

  it('names the command that ran when a request was denied, if it is known', () => {
    const rows = [{ ...denied, command: 'curl `x`' }];
    expect(progressComment({ ...view, receipt: { ...receipt, denied: rows } }, taskUrl)).toContain(
      '- `POST evil.example/drop` (2 times): evil.example is not a host of this task, while `` curl `x` `` ran',
    );
    const unknown = [{ ...denied, command: null }];
    expect(progressComment({ ...view, receipt: { ...receipt, denied: unknown } }, taskUrl)).not.toContain(
      'while',
    );
  });
  it.each([null, { kind: 'cancelled', by: 'mona' } as const])('reports setup in one line: %j', (outcome) => {
    const setup = {
      status: 'ok',
      exitCode: 0,
      durationMs: 4_200,
      fromCache: true,
      cacheRefused: null,
      optional: false,
    } as const;
    const lines = progressComment({ ...view, setup, outcome }, taskUrl).split('\n');
    expect(lines).toContain('Dependencies were installed in 4 s, starting from the cache');
  });
  it('shows only the phase before Codex starts', () => {
    expect(progressComment({ ...view, phase: 'clone', progress: null, receipt: emptyReceipt }, null)).toBe(
      '⏳ **Cloning the repository** · 1 min 5 s\n\n<sub>task `0123abcd` · m medium · 1 min 5 s</sub>',
    );
  });
  it.each<[what: string, Partial<Progress>, lines: readonly string[]]>([
    [
      'the latest command between commands, without the shell around it',
      { commands: [run("/bin/bash -lc 'npm test'", 3)] },
      ['Ran `npm test`: exit code 3'],
    ],
    ['the number of commands without a plan', { plan: [] }, ['2 commands so far']],
    ['no number of commands before the first', { commandsTotal: 0 }, ['Step 2 of 3']],
    [
      'the next step between steps',
      { plan: [step('completed'), step('pending'), step('pending')] },
      ['Step 2 of 3 · 2 commands so far'],
    ],
    ['the last step after it', { plan: [step('completed')] }, ['Step 1 of 1 · 2 commands so far']],
  ])('shows %s', (_, more, lines) => {
    const comment = progressComment({ ...view, progress: { ...progress, ...more } }, taskUrl);
    expect(comment.split('\n')).toEqual(expect.arrayContaining([...lines]));
  });
  it.each([
    [14, '⏳ **Waiting for a free sandbox, place 14 in the queue** · 1 min 5 s'],
    [1, '⏳ **Waiting for a free sandbox, next in the queue** · 1 min 5 s'],
    [null, '⏳ **Preparing a sandbox** · 1 min 5 s'],
  ])('shows the place of the task in the queue: %s', (queuePosition, line) => {
    const comment = progressComment({ ...view, phase: 'slot', queuePosition, progress: null }, taskUrl);
    expect(comment.split('\n')[0]).toBe(line);
  });
  it.each([...taskPhases])('has words for the phase %s', (phase) => {
    expect(progressComment({ ...view, phase, progress: null }, taskUrl)).toMatch(/^⏳ \*\*[A-Z][\w ]+\*\*/);
  });
});

const pullRequest = {
  number: 12,
  title: 'x',
  url: 'https://github.com/acme/shop/pull/12',
  headRef: 'x',
  headSha: 'y',
  draft: false,
};

describe('the comment of an ended task', () => {
  const reason = aReason('x', 'The model `gpt-z` is not allowed. Ask @mona.');
  it('warns on top about a run that tried to send something elsewhere', () => {
    const outcome = { kind: 'pull-request', pullRequest: { ...pullRequest, draft: true } } as const;
    expect(progressComment({ ...view, outcome }, taskUrl)).toMatch(
      /^> \[!CAUTION\]\n[^]*> - `POST evil\.example\/drop` \(2 times\)\n\n\*\*📝 \[Pull request 12\]/,
    );
  });
  it.each<[TaskOutcome, string]>([
    [
      { kind: 'pull-request', pullRequest },
      '**✅ [Pull request 12](https://github.com/acme/shop/pull/12) is ready for review**',
    ],
    [
      { kind: 'pull-request', pullRequest: { ...pullRequest, draft: true } },
      '**📝 [Pull request 12](https://github.com/acme/shop/pull/12) (draft) was opened**',
    ],
    [
      { kind: 'pull-request', pullRequest, added: true },
      '**✅ Commit added to [pull request 12](https://github.com/acme/shop/pull/12)**',
    ],
    [
      {
        kind: 'pull-request',
        pullRequest: { ...pullRequest, url: 'javascript:x', draft: true },
        added: true,
      },
      '**✅ Commit added to pull request 12 (draft)**',
    ],
    [
      { kind: 'no-change', summary: 'It is `right` already.' },
      '**☑️ Nothing was changed**\n\nIt is `right` already.\n\n---\n\n**Cause:** the work of Codex. **Next:** If you expected one, ask again and say what is to be different.',
    ],
    [
      { kind: 'no-change', summary: 'Added a tool.', leftOut: 'Left out: __tool__/ (…).' },
      '**⚠️ Nothing was published**\n\nLeft out: \\_\\_tool\\_\\_/ \\(…\\).\n\nAdded a tool.\n\n---\n\n**Cause:** the work of Codex. **Next:** Ask again for a change without these files, or add them by hand.',
    ],
    [
      {
        kind: 'pull-request',
        pullRequest,
        added: true,
        commit: {
          sha: 'ab12'.repeat(10),
          summary: 'Renamed **it**, @mona.',
          remarks: ['Look at `a`.'],
          report: '### Network',
        },
        leftOut: 'Left out: a (…).',
      },
      [
        `**✅ [Commit ab12ab1](https://github.com/acme/shop/pull/12/commits/${'ab12'.repeat(10)}) was added**`,
        '> [!WARNING]\n> Before you review:\n> - Look at \\`a\\`.',
        'Left out: a \\(…\\).',
        'Renamed \\*\\*it\\*\\*, @\u200Bmona.',
        '---',
        '<details>\n<summary>What ran, the change and the network receipt</summary>\n\n### Network\n\n</details>',
      ].join('\n\n'),
    ],
    [
      {
        kind: 'patch',
        reason: aReason('pull-request-closed', 'It was closed.'),
        patch: { text: '', complete: true },
        summary: 'Renamed it.',
        remarks: ['Look at a.'],
      },
      [
        '**📋 The change is a patch**',
        'It was closed.',
        '**Cause:** GitHub. **Next:** Ask again.',
        '> [!WARNING]\n> Before you apply it:\n> - Look at a.',
        'Renamed it.',
        '`GET /api/tasks/gh-5-c9/change` returns the whole change.',
      ].join('\n\n'),
    ],
    [
      { kind: 'pull-request', pullRequest, added: true, leftOut: 'Left out: a (…).' },
      '**✅ Commit added to [pull request 12](https://github.com/acme/shop/pull/12)**\n\nLeft out: a \\(…\\).',
    ],
    [
      { kind: 'refused', reason },
      '**🚫 Not started**\n\nThe model `gpt-z` is not allowed. Ask @\u200Bmona.\n\n**Cause:** GitHub. **Next:** Ask again.',
    ],
    [
      { kind: 'held', reason, changeHash: null },
      '**✋ The change is held back**\n\nThe model `gpt-z` is not allowed. Ask @\u200Bmona.\n\n**Cause:** GitHub. **Next:** Ask again.\n\n`GET /api/tasks/gh-5-c9/change` returns the whole change.',
    ],
    [
      { kind: 'held', reason, changeHash: '0123456789abcdef' },
      '**✋ The change is held back**\n\nThe model `gpt-z` is not allowed. Ask @\u200Bmona.\n\n**Cause:** GitHub. **Next:** Ask again.\n\nThe change is kept. Anyone with write access can mention me with `approve 0123456789ab`: I then publish exactly this change, as a draft that names the approver.\n\n`GET /api/tasks/gh-5-c9/change` returns the whole change.',
    ],
    [
      { kind: 'failed', reason, changeKept: false },
      '**❌ Failed**\n\nThe model `gpt-z` is not allowed. Ask @\u200Bmona.\n\n**Cause:** GitHub. **Next:** Ask again.',
    ],
    [
      { kind: 'failed', reason, changeKept: true },
      '**❌ Failed**\n\nThe model `gpt-z` is not allowed. Ask @\u200Bmona.\n\n**Cause:** GitHub. **Next:** Ask again.\n\nThe change is kept. Mention me with `retry` to publish it again.\n\n`GET /api/tasks/gh-5-c9/change` returns the whole change.',
    ],
    [
      { kind: 'cancelled', by: 'mona' },
      '**⏹️ Cancelled by mona**\n\n**Cause:** what somebody did in the meantime. **Next:** Retry it, or ask again, if it is still wanted.',
    ],
    [{ kind: 'answered', message: 'Write `@airlock fix it`.' }, 'Write `@airlock fix it`.'],
  ])('shows the outcome %j', (outcome, text) => {
    const comment = progressComment({ ...view, phase: 'ended', outcome, receipt: emptyReceipt }, taskUrl);
    // An end without a pull request names the requester, so that GitHub notifies them.
    const separator = outcome.kind === 'answered' ? '\n\n' : ' ';
    const named = outcome.kind === 'pull-request' ? text : `@mona${separator}${text}`;
    expect(comment).toBe(
      `${named}\n\n<sub>task \`0123abcd\` · m medium · 1 min 5 s · [log](https://airlock.example/tasks/gh-5-c9)</sub>`,
    );
  });
  it.each([
    ['a managed user', 'mona_acme', '@mona_acme **'],
    ['no name that GitHub would not give', 'mona @acme', '**'],
  ])('names %s at an end without a pull request', (_, requester, start) => {
    const outcome = { kind: 'cancelled', by: 'mona' } as const;
    const ended = { ...view, phase: 'ended', outcome, requester, receipt: emptyReceipt } as const;
    expect(progressComment(ended, null).startsWith(start)).toBe(true);
  });
  const held = (text: string, complete = true) =>
    progressComment(
      { ...view, outcome: { kind: 'held', reason, changeHash: null, patch: { text, complete } } },
      taskUrl,
    );
  it('shows a small change as a patch in a fold that it cannot break out of', () => {
    const patch = 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1,1 @@\n+```\n+</details> @admin\n';
    expect(held(patch)).toContain(
      `<summary>The change as a patch for <code>git apply</code></summary>\n\n\`\`\`\`diff\n${patch}\`\`\`\`\n\n</details>`,
    );
    expect(held(patch)).not.toContain('GET /api');
  });
  it.each([
    ['it is not complete', 'diff --git a/x b/x\n# Not shown: it is binary.\n', false],
    ['showing it safely changes it', 'diff --git a/x b/x\n+fixes #9\n', true],
    ['it would need a huge fence', `+${'`'.repeat(5000)}\n`, true],
  ])('says how to get the whole change when %s', (_, text, complete) => {
    expect(held(text, complete)).toContain('`GET /api/tasks/gh-5-c9/change` returns the whole change.');
    expect(held(text, complete)).not.toContain('git apply');
    expect(held(text, complete).length).toBeLessThan(2000);
  });
  it('becomes one line when a comment of its own reports the end', () => {
    const outcome = { kind: 'cancelled', by: 'mona' } as const;
    expect(foldedComment({ ...view, outcome }, { id: 77, inThread: false }, null)).toBe(
      '**⏹️ Cancelled by mona** · [details](#issuecomment-77) · <sub>task `0123abcd` · m medium · 1 min 5 s</sub>',
    );
    const inThread = foldedComment({ ...view, outcome }, { id: 77, inThread: true }, null);
    expect(inThread).toContain(' · [details](#discussion_r77) · ');
  });
  it('shows the size of the change, the cost, the tests and the hosts', () => {
    const hosts = [{ host: 'github.com', requests: 3, bytesUp: 10, bytesDown: 2000 }];
    const ended = {
      ...view,
      outcome: { kind: 'pull-request', pullRequest },
      change: { files: 2, insertions: 5, deletions: 1 },
      usage: totalOnly(1204),
      costUsd: 0.42,
      receipt: { ...emptyReceipt, hosts },
      progress: { ...progress, commands: [run('npm test', 0)] },
    } as const;
    expect(progressComment(ended, null)).toContain(
      [
        '2 files changed, +5 −1',
        '1,204 tokens, about $0.42',
        '',
        'Reported from inside the sandbox:',
        'Tests passed: `npm test`',
        '',
        'Reached: `github.com` (3 requests, 10 B sent, 2.0 kB received)',
      ].join('\n'),
    );
  });
  it('still shows the blocked requests', () => {
    expect(progressComment({ ...view, outcome: { kind: 'cancelled', by: 'mona' } }, taskUrl)).toContain(
      'Blocked attempts: 2',
    );
  });
});

describe('hostile text from the sandbox', () => {
  const hostile =
    '```\n</details><!-- airlock:task=gh-1-c1 --> @mona closes #1 ![x](https://evil.example/?leak)';
  const comment = progressComment(
    {
      ...view,
      progress: {
        ...progress,
        plan: [{ step: hostile, status: 'pending' }],
        commands: [
          {
            command: hostile,
            exitCode: null,
            status: 'running',
            outputTail: hostile,
            startedAt: 0,
            durationMs: null,
          },
        ],
      },
      receipt: {
        hosts: [],
        denied: [{ ...denied, host: hostile, path: hostile, reason: hostile, command: hostile }],
        deniedTotal: 2,
        failed: [],
        failedTotal: 0,
      },
    },
    taskUrl,
  );
  it('cannot leave its block, because the fence is longer than any fence in it', () => {
    expect(comment).toContain('````text\n```\n');
    expect(comment.split('\n').filter((line) => line === '````').length).toBe(1);
  });
  it('has no effect outside code', () => {
    const prose = comment
      .replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
      .replace(/(?<![`\\])(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
    expect(prose).not.toMatch(/@[\w]|#\d|<!--|<\/d|(?<!\\)!\[/);
  });
  it('keeps the comment far below the size that GitHub accepts', () => {
    const much = '&<@#1`'.repeat(20_000);
    const plan = Array.from({ length: 300 }, () => ({ step: much, status: 'pending' as const }));
    const commands = [
      {
        command: much,
        exitCode: null,
        status: 'running' as const,
        outputTail: much,
        startedAt: 0,
        durationMs: null,
      },
    ];
    const rows = Array.from({ length: 50 }, () => ({
      ...denied,
      host: much,
      path: much,
      reason: much,
      command: much,
    }));
    const long = {
      ...view,
      progress: { ...progress, plan, commands },
      receipt: { ...emptyReceipt, denied: rows, deniedTotal: 1000 },
    };
    const said = { summary: much, remarks: Array.from({ length: 90 }, () => much), leftOut: much };
    const reason = aReason('x', much);
    const outcomes: readonly (TaskOutcome | null)[] = [
      null,
      { kind: 'no-change', summary: much },
      {
        kind: 'pull-request',
        pullRequest,
        added: true,
        commit: { sha: '1', report: 'x'.repeat(12_000), ...said },
        leftOut: much,
      },
      { kind: 'patch', reason, patch: { text: 'x'.repeat(20_000), complete: true }, ...said },
    ];
    for (const outcome of outcomes)
      expect(progressComment({ ...long, outcome }, taskUrl).length).toBeLessThan(60_000);
  });
});

describe('the reply to a line comment', () => {
  const sha = 'ab12'.repeat(10);
  const link = `[commit ab12ab1](https://github.com/acme/shop/pull/12/commits/${sha})`;
  const reason = aReason('x', 'x');
  const added: TaskOutcome = {
    kind: 'pull-request',
    pullRequest,
    added: true,
    commit: { sha, summary: '', remarks: [], report: '' },
  };
  const patch: TaskOutcome = { kind: 'patch', reason, patch: { text: '', complete: true }, summary: '' };
  const unchanged: TaskOutcome = { kind: 'no-change', summary: '' };

  it.each<[string, string | null, TaskOutcome, string]>([
    ['links the commit', 'Renamed to `total`.', added, `Renamed to \`total\`. (${link})`],
    [
      'claims nothing that Codex did not say',
      null,
      added,
      `Codex did not say what it did about this comment; see ${link}.`,
    ],
    [
      'says that nothing was pushed',
      'Renamed.',
      patch,
      'Renamed. Nothing was pushed: my comment on this pull request has the change as a patch.',
    ],
    ['says why nothing was changed', 'It is right as it is.', unchanged, 'It is right as it is.'],
    [
      'says that nothing was changed',
      null,
      unchanged,
      'Codex changed nothing, and did not say anything about this comment.',
    ],
    [
      'notifies and closes nothing',
      '@mona Fixes #7 ![x](https://evil.example/x) <!-- airlock:reply=gh-1-2 -->',
      unchanged,
      '@\u200Bmona Fixes #\u200B7 \\!\\[x\\]\\(https:\u200B//evil.example/x\\) &lt;\\!-- airlock:reply=gh-\u200B1-2 --&gt;',
    ],
  ])('%s', (_, said, outcome, reply) => {
    expect(lineReply(said, outcome)).toBe(reply);
  });
});
