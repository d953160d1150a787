/**
 * Sends GitHub's example payloads, signed: no event crashes the endpoint, and only a mention starts a task.
 * Then bodies that only an attacker or a broken proxy sends.
 */
import type { PullEnd } from '../../src/core/ledger.ts';
import { readFile } from 'node:fs/promises';
import { sign } from '@octokit/webhooks-methods';
import type { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { taskRequestSchema, type TaskRequest } from '../../src/core/task.ts';
import { githubWebhooks, type WebhookDeps } from '../../src/github/webhooks.ts';
import { createBodyRoom } from '../../src/lib/body-room.ts';

const secret = 'a secret for tests';
const definitionsSchema = z.array(
  z.object({ name: z.string(), examples: z.array(z.record(z.string(), z.unknown())) }),
);
/** GitHub itself and the GitHub Enterprise Server versions that the package knows. */
const servers = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'] as const;

async function examplesOf(server: (typeof servers)[number]) {
  const file = new URL(`../../node_modules/@octokit/webhooks-examples/${server}/index.json`, import.meta.url);
  const definitions = definitionsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  return definitions.flatMap(({ name, examples: payloads }) =>
    payloads.map((payload, index) => ({
      name,
      title: [name, payload['action'], `#${index}`].filter((part) => typeof part === 'string').join(' '),
      payload,
    })),
  );
}
const examples = await examplesOf('api.github.com');

function endpoint(over: Partial<WebhookDeps> = {}): { app: Hono; started: TaskRequest[] } {
  const started: TaskRequest[] = [];
  const app = githubWebhooks({
    secret,
    room: createBodyRoom(2 ** 24),
    mention: async () => ({ mention: 'airlock', label: 'codex', isGuess: false }),
    startTask: async (request) => {
      started.push(request);
      return 'started';
    },
    onReceiptEvent: async () => 'seen',
    onPullEnd: async () => {},
    now: () => new Date('2026-11-02T00:00:00Z'),
    log: () => {},
    ...over,
  });
  return { app, started };
}

async function deliver(
  app: Hono,
  event: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await app.request('/', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-hub-signature-256': body === '' ? '' : await sign(secret, body),
      ...headers,
    },
    body,
  });
}

const person = { login: 'mona', id: 7, type: 'User' };
/** The minimal payloads of the events. Each test changes one thing. */
function comment(over: Record<string, unknown> = {}, top: Record<string, unknown> = {}) {
  return {
    action: 'created',
    sender: person,
    installation: { id: 3 },
    repository: { id: 5, name: 'shop', owner: { login: 'acme' } },
    issue: issue(),
    comment: { id: 9, body: '@airlock fix it', user: person, created_at: '2026-11-01T10:00:00Z', ...over },
    ...top,
  };
}
function issue(over: Record<string, unknown> = {}) {
  return {
    number: 2,
    title: 'split() rounds',
    body: 'It should not.',
    user: person,
    created_at: '2026-11-01T09:00:00Z',
    updated_at: '2026-11-01T09:00:00Z',
    ...over,
  };
}

const starting = [
  'issues.labeled',
  'pull_request.labeled',
  'issue_comment.created',
  'issues.opened',
  'pull_request_review.submitted',
  'pull_request_review_comment.created',
];
const recordSchema = z.record(z.string(), z.unknown());

const good = JSON.stringify(comment());
const goodSignature = await sign(secret, good);
const foreignSignature = await sign('another secret', good);

describe("GitHub's example payloads", () => {
  it('include the events that start a task', () => {
    expect(examples.length).toBeGreaterThan(150);
    const names = examples.map(({ name, payload }) => `${name}.${String(payload['action'])}`);
    expect(names).toEqual(expect.arrayContaining(starting));
  });

  it.each(examples)('start nothing: $title', async ({ name, payload }) => {
    const { app, started } = endpoint();
    const response = await deliver(app, name, JSON.stringify(payload));
    expect(response.status).toBe(202);
    const answer = recordSchema.parse(await response.json());
    expect(['ignored', 'receipt', 'pull']).toEqual(expect.arrayContaining(Object.keys(answer)));
    expect(started).toEqual([]);
  });

  it.each(servers.slice(1))('start nothing for %s either', async (server) => {
    const { app, started } = endpoint();
    const others = await examplesOf(server);
    expect(others.length).toBeGreaterThan(40);
    const statuses = new Set<number>();
    for (const { name, payload } of others)
      statuses.add((await deliver(app, name, JSON.stringify(payload))).status);
    expect([...statuses]).toEqual([202]);
    expect(started).toEqual([]);
  });

  it('start one task per new text, and per label, after a mention is written into each', async () => {
    const { app, started } = endpoint();
    let wanted = 0;
    for (const { name, payload } of examples) {
      const texts = ['comment', 'review', 'issue', 'pull_request'].flatMap((field) => {
        const found = recordSchema.safeParse(payload[field]);
        return found.success ? [[field, { ...found.data, body: '@airlock fix it' }] as const] : [];
      });
      const more = { installation: { id: 1 }, label: { name: 'codex' } };
      const body = JSON.stringify({ ...payload, ...Object.fromEntries(texts), ...more });
      expect((await deliver(app, name, body)).status).toBe(202);
      if (starting.includes(`${name}.${String(payload['action'])}`)) wanted += 1;
    }
    expect(started.length).toBe(wanted);
    // The label of GitHub's example came with its issue.
    const events = ['issue_comment', 'issue_opened', 'review', 'review_comment', 'pull_request_labeled'];
    const seen = started.map(({ trigger }) => trigger.kind === 'github' && trigger.event);
    expect(new Set(seen)).toEqual(new Set(events));
    for (const request of started) expect(taskRequestSchema.parse(request)).toEqual(request);
  });
});

describe('the trigger of a task', () => {
  it('is in the repository of a managed user too, whose name has an underscore', async () => {
    const { app, started } = endpoint();
    const repository = { id: 5, name: 'shop', owner: { login: 'mona_acme' } };
    const response = await deliver(app, 'issue_comment', JSON.stringify(comment({}, { repository })));
    expect(response.status).toBe(202);
    expect(started).toMatchObject([{ repository: { owner: 'mona_acme', name: 'shop' } }]);
  });

  it('is a comment with a mention', async () => {
    const { app, started } = endpoint();
    const response = await deliver(app, 'issue_comment', JSON.stringify(comment()));
    expect([response.status, await response.json()]).toEqual([202, { task: 'gh-5-c9', outcome: 'started' }]);
    expect(started).toEqual([
      {
        taskId: 'gh-5-c9',
        shortId: expect.stringMatching(/^[0-9a-f]{8}$/),
        acceptedAt: '2026-11-02T00:00:00.000Z',
        repository: { owner: 'acme', name: 'shop' },
        trigger: {
          kind: 'github',
          event: 'issue_comment',
          installationId: 3,
          repositoryId: 5,
          issueNumber: 2,
          mention: 'airlock',
          onPullRequest: false,
          commentId: 9,
          triggeredAt: '2026-11-01T10:00:00Z',
          issue: { title: 'split() rounds', body: 'It should not.' },
          comment: '@airlock fix it',
        },
        requester: { login: 'mona', id: 7 },
        ask: { kind: 'run' },
        instruction: 'fix it',
        options: {},
      },
    ]);
  });

  it.each<[name: string, isGuess: boolean, body: string, status: number]>([
    ['acme-codex', false, '@acme-codex fix it', 202],
    ['airlock', true, '@airlock fix it', 202],
    ['airlock', true, '@acme-codex fix it', 503],
    ['airlock', true, 'nice', 202],
  ])('is a mention of %s (a guess: %s): %s gets a %i', async (name, isGuess, body, status) => {
    const { app, started } = endpoint({
      mention: async () => ({ mention: name, label: 'codex', isGuess }),
    });
    const response = await deliver(app, 'issue_comment', JSON.stringify(comment({ body })));
    expect(response.status).toBe(status);
    expect(started.map(({ trigger }) => trigger)).toMatchObject(
      body.includes(name) ? [{ mention: name }] : [],
    );
  });

  it('can be a comment on a pull request', async () => {
    const { app, started } = endpoint();
    await deliver(
      app,
      'issue_comment',
      JSON.stringify(comment({}, { issue: issue({ pull_request: { url: 'x' } }) })),
    );
    expect(started[0]?.trigger).toMatchObject({ onPullRequest: true });
  });

  const opened = (over: Record<string, unknown> = {}, top: Record<string, unknown> = {}) => ({
    ...comment(
      {},
      { action: 'opened', issue: issue({ body: 'Rounding is off.\n\n@airlock fix it', ...over }) },
    ),
    comment: undefined,
    ...top,
  });
  const labelled = (over: Record<string, unknown> = {}, top: Record<string, unknown> = {}) => ({
    ...comment(
      {},
      {
        action: 'labeled',
        label: { name: 'Codex' },
        issue: issue({ updated_at: '2026-11-01T10:00:09Z', ...over }),
      },
    ),
    comment: undefined,
    ...top,
  });

  it('is an issue opened with a mention', async () => {
    const { app, started } = endpoint();
    await deliver(app, 'issues', JSON.stringify(opened()));
    expect(started[0]).toMatchObject({
      taskId: 'gh-5-i2',
      trigger: { event: 'issue_opened', commentId: null },
    });
  });

  it('is the label in any case, even on an issue that software opened', async () => {
    const { app, started } = endpoint();
    await deliver(
      app,
      'issues',
      JSON.stringify(labelled({ user: { login: 'alerts[bot]', id: 8, type: 'Bot' } })),
    );
    expect(started[0]).toMatchObject({
      taskId: 'gh-5-l2-1793527209',
      instruction: '',
      requester: { login: 'mona' },
      trigger: { event: 'issue_labeled', triggeredAt: '2026-11-01T10:00:09Z' },
    });
  });

  it('is the same for an issue opened with a mention and the label, in either order of events', async () => {
    const { app, started } = endpoint();
    const body = 'Rounding is off.\n\n@airlock --effort high fix it';
    await deliver(app, 'issues', JSON.stringify(labelled({ body, updated_at: '2026-11-01T09:00:00Z' })));
    await deliver(app, 'issues', JSON.stringify(opened({ body })));
    expect(started.length).toBe(2);
    expect(started[0]).toEqual(started[1]);
  });

  it('has the id of the opening for an issue opened with the label and no mention', async () => {
    const { app, started } = endpoint();
    await deliver(app, 'issues', JSON.stringify(labelled({ updated_at: '2026-11-01T09:00:00Z' })));
    expect(started[0]).toMatchObject({ taskId: 'gh-5-i2', instruction: '' });
  });

  const { issue: pull_request, comment: _, ...common } = comment({}, { issue: issue() });
  const review = (over: Record<string, unknown> = {}, top: Record<string, unknown> = {}) => ({
    ...common,
    action: 'submitted',
    pull_request,
    review: { id: 4, body: '@airlock do it', user: person, submitted_at: '2026-11-01T10:00:05Z', ...over },
    ...top,
  });
  const line = (over: Record<string, unknown> = {}, top: Record<string, unknown> = {}) => ({
    ...common,
    pull_request,
    comment: {
      id: 9,
      pull_request_review_id: 4,
      body: '@airlock why?',
      user: person,
      created_at: '2026-11-01T10:00:00Z',
      updated_at: '2026-11-01T10:00:05Z',
      path: 'src/a.ts',
      line: 7,
      start_line: null,
      side: 'RIGHT',
      diff_hunk: '@@ -1 +1 @@\n+a',
      ...over,
    },
    ...top,
  });
  const pullLabelled = (top: Record<string, unknown> = {}) => ({
    ...common,
    action: 'labeled',
    label: { name: 'Codex' },
    pull_request: { ...issue(), updated_at: '2026-11-01T10:00:09Z' },
    ...top,
  });

  it('is a review with a mention in its words, and each of its line comments is the same task', async () => {
    const { app, started } = endpoint();
    await deliver(app, 'pull_request_review_comment', JSON.stringify(line()));
    await deliver(app, 'pull_request_review', JSON.stringify(review()));
    await deliver(app, 'pull_request_review_comment', JSON.stringify(line({ id: 10 })));
    expect(started.map(({ taskId }) => taskId)).toEqual(['gh-5-r4', 'gh-5-r4', 'gh-5-r4']);
    const at = { onPullRequest: true, issueNumber: 2, reviewId: 4, triggeredAt: '2026-11-01T10:00:05Z' };
    expect(started.map(({ trigger }) => trigger)).toMatchObject([
      {
        ...at,
        event: 'review_comment',
        commentId: 9,
        lineComment: {
          path: 'src/a.ts',
          line: 7,
          startLine: null,
          side: 'RIGHT',
          inReplyTo: null,
          diffHunk: '@@ -1 +1 @@\n+a',
        },
      },
      { ...at, event: 'review', commentId: null, comment: '@airlock do it' },
      { ...at, event: 'review_comment', commentId: 10 },
    ]);
  });

  it('is a line comment whose line is outdated, or which GitHub names no review for', async () => {
    const { app, started } = endpoint();
    const outdated = { line: null, side: undefined, in_reply_to_id: 3, pull_request_review_id: null };
    await deliver(app, 'pull_request_review_comment', JSON.stringify(line(outdated)));
    expect(started).toMatchObject([
      { taskId: 'gh-5-d9', trigger: { lineComment: { line: null, side: null, inReplyTo: 3 } } },
    ]);
    expect(started[0]?.trigger).not.toHaveProperty('reviewId');
  });

  it('keeps the end of a hunk and the beginning of a path that are too long', async () => {
    const { app, started } = endpoint();
    const over = { diff_hunk: `${'-'.repeat(30_000)}the line`, path: 'a/'.repeat(5000) };
    await deliver(app, 'pull_request_review_comment', JSON.stringify(line(over)));
    expect(started).toHaveLength(1);
    for (const request of started) expect(taskRequestSchema.parse(request)).toEqual(request);
    expect(JSON.stringify(started)).toContain('-the line"');
  });

  it('is the label on a pull request, at any time after its opening', async () => {
    const { app, started } = endpoint();
    await deliver(app, 'pull_request', JSON.stringify(pullLabelled()));
    expect(started).toMatchObject([
      {
        taskId: 'gh-5-l2-1793527209',
        instruction: '',
        trigger: { event: 'pull_request_labeled', onPullRequest: true, commentId: null },
      },
    ]);
  });

  const bot = { login: 'helper[bot]', id: 8, type: 'Bot' };
  it.each([
    ['an edit', 'issue_comment', comment({}, { action: 'edited' }), 'not an event that starts a task'],
    ['a deletion', 'issue_comment', comment({}, { action: 'deleted' }), 'not an event that starts a task'],
    ['an edited issue', 'issues', opened({}, { action: 'edited' }), 'not an event that starts a task'],
    [
      'an edited review',
      'pull_request_review',
      review({}, { action: 'edited' }),
      'not an event that starts a task',
    ],
    [
      'a dismissed review',
      'pull_request_review',
      review({}, { action: 'dismissed' }),
      'not an event that starts a task',
    ],
    [
      'an edited line comment',
      'pull_request_review_comment',
      line({}, { action: 'edited' }),
      'not an event that starts a task',
    ],
    [
      'a pull request made a draft',
      'pull_request',
      pullLabelled({ action: 'converted_to_draft' }),
      'not an event that starts a task',
    ],
    ['a review without words', 'pull_request_review', review({ body: null }), 'no mention'],
    [
      'an approval with thanks',
      'pull_request_review',
      review({ body: 'LGTM, thanks @airlock' }),
      'no mention',
    ],
    [
      'a review by a bot',
      'pull_request_review',
      review({ user: bot }, { sender: bot }),
      'written by software',
    ],
    [
      'a line comment by a bot',
      'pull_request_review_comment',
      line({ user: bot }, { sender: bot }),
      'written by software',
    ],
    [
      'a line comment of a deleted account',
      'pull_request_review_comment',
      line({ user: null }),
      'written by software',
    ],
    [
      'a review delivered by another account',
      'pull_request_review',
      review({}, { sender: { ...person, id: 99 } }),
      'written by somebody other than the sender',
    ],
    [
      'a line comment through an app',
      'pull_request_review_comment',
      line({ performed_via_github_app: { id: 1 } }),
      'written through an app',
    ],
    [
      'another label on a pull request',
      'pull_request',
      pullLabelled({ label: { name: 'bug' } }),
      'another label',
    ],
    [
      'a label that a bot set on a pull request',
      'pull_request',
      pullLabelled({ sender: bot }),
      'labeled by software',
    ],
    ['a comment by a bot', 'issue_comment', comment({ user: bot }, { sender: bot }), 'written by software'],
    [
      'a comment by a bot of type User',
      'issue_comment',
      comment({ user: { ...bot, type: 'User' } }, { sender: { ...bot, type: 'User' } }),
      'written by software',
    ],
    ['a deleted account', 'issue_comment', comment({ user: null }), 'written by software'],
    [
      "an app in a person's name",
      'issue_comment',
      comment({ performed_via_github_app: { id: 1 } }),
      'written through an app',
    ],
    [
      'a comment delivered by another account',
      'issue_comment',
      comment({}, { sender: { ...person, id: 99 } }),
      'written by somebody other than the sender',
    ],
    ['a comment without a mention', 'issue_comment', comment({ body: 'nice' }), 'no mention'],
    ['an empty comment', 'issue_comment', comment({ body: null }), 'no mention'],
    ['a quoted mention', 'issue_comment', comment({ body: '> @airlock fix it' }), 'no mention'],
    ['an issue without a mention', 'issues', opened({ body: null }), 'no mention'],
    ['a mention in the title only', 'issues', opened({ title: '@airlock fix it', body: 'x' }), 'no mention'],
    ['an issue by a bot', 'issues', opened({ user: bot }, { sender: bot }), 'written by software'],
    ['another label', 'issues', labelled({}, { label: { name: 'bug' } }), 'another label'],
    ['a label set by a bot', 'issues', labelled({}, { sender: bot }), 'labeled by software'],
    [
      'a delivery of a repository webhook',
      'issue_comment',
      comment({}, { installation: undefined }),
      'delivered by a repository webhook instead of the App',
    ],
  ])('is not %s', async (_, event, payload, why) => {
    const { app, started } = endpoint();
    const response = await deliver(app, event, JSON.stringify(payload));
    expect([response.status, await response.json()]).toEqual([202, { ignored: why }]);
    expect(started).toEqual([]);
  });
});

describe('an invalid delivery', () => {
  const chunked = (chunk: Uint8Array, times: number): ReadableStream<Uint8Array> => {
    let left = times;
    return new ReadableStream({
      pull(controller) {
        if (left === 0) controller.close();
        else controller.enqueue(chunk);
        left -= 1;
      },
    });
  };

  it.each<[string, number, string, Record<string, string>]>([
    ['unsigned', 401, good, { 'x-hub-signature-256': '' }],
    ['signed with SHA-1', 401, good, { 'x-hub-signature-256': `sha1=${'0'.repeat(40)}` }],
    ['mis-signed', 401, good, { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }],
    [
      'signed with text that is not hexadecimal',
      401,
      good,
      { 'x-hub-signature-256': `sha256=${'z'.repeat(64)}` },
    ],
    ['signed with an empty digest', 401, good, { 'x-hub-signature-256': 'sha256=' }],
    ['signed with another secret', 401, good, { 'x-hub-signature-256': foreignSignature }],
    ['signed, then changed', 401, good.replace('fix it', 'fix me'), { 'x-hub-signature-256': goodSignature }],
    ['empty', 401, '', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }],
    ['truncated after signing', 401, good.slice(0, -20), { 'x-hub-signature-256': goodSignature }],
    ['truncated before signing', 400, good.slice(0, -20), {}],
    ['not JSON', 400, 'hello', {}],
    ['sent without an event', 400, good, { 'x-github-event': '' }],
    [
      'a form',
      415,
      `payload=${encodeURIComponent(good)}`,
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['sent without a content type', 415, good, { 'content-type': '' }],
    ['sent with a content type that only begins alike', 415, good, { 'content-type': 'application/jsonp' }],
    ['declared larger than 2 MB', 413, good, { 'content-length': String(2 * 1024 * 1024 + 1) }],
    ['a comment without an author field', 422, JSON.stringify(comment({ user: 'mona' })), {}],
    ['a review without a pull request', 422, good, { 'x-github-event': 'pull_request_review_comment' }],
    [
      'about a repository with an impossible name',
      422,
      JSON.stringify(comment({}, { repository: { id: 5, name: '..', owner: { login: 'acme' } } })),
      {},
    ],
    ['an array', 202, '[]', {}],
    ['null', 202, 'null', {}],
  ])('starts nothing and is answered with the right status: %s → %i', async (_, status, body, headers) => {
    const { app, started } = endpoint();
    const response = await deliver(app, 'issue_comment', body, headers);
    expect(response.status).toBe(status);
    expect(started).toEqual([]);
    expect(await response.text()).not.toContain('fix');
  });

  it('is not read to its end if it is oversized without a declared length', async () => {
    const { app, started } = endpoint();
    let pulled = 0;
    const mebibyte = new Uint8Array(1024 * 1024).fill(32);
    const body = chunked(mebibyte, 200).pipeThrough(
      new TransformStream({
        transform(chunk, controller) {
          pulled += 1;
          controller.enqueue(chunk);
        },
      }),
    );
    const init = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'issues',
        'x-hub-signature-256': goodSignature,
      },
      body,
      duplex: 'half',
    };
    const response = await app.request(new Request('http://localhost/', init));
    expect(response.status).toBe(413);
    expect(pulled).toBeLessThan(6);
    expect(started).toEqual([]);
  });

  it('is refused with 503 before it is read while too many others are unverified', async () => {
    const asked: number[] = [];
    const { app, started } = endpoint({
      room: { reserve: async (bytes) => (asked.push(bytes), null) },
    });
    const response = await deliver(app, 'issue_comment', good, { 'content-length': '70' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    expect(asked).toEqual([70]);
    expect(started).toEqual([]);
  });

  it('gives its room back, however it is answered', async () => {
    const { app } = endpoint({ room: createBodyRoom(2 * 1024 * 1024) });
    const large = { 'content-length': String(2 * 1024 * 1024) };
    for (const body of [good, 'hello', good.slice(0, -1)])
      expect((await deliver(app, 'issue_comment', body, large)).status).not.toBe(503);
    const unsigned = { ...large, 'x-hub-signature-256': foreignSignature };
    expect((await deliver(app, 'issue_comment', good, unsigned)).status).toBe(401);
    expect((await deliver(app, 'issue_comment', good, large)).status).toBe(202);
  });

  it('is refused if it is not UTF-8, even with the signature of its replacement text', async () => {
    const { app, started } = endpoint();
    const response = await app.request('/', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'issues',
        'x-hub-signature-256': await sign(secret, '"\uFFFD"'),
      },
      body: new Uint8Array([34, 255, 34]),
    });
    expect(response.status).toBe(401);
    expect(started).toEqual([]);
  });

  it('is refused if a byte order mark was added after signing', async () => {
    const { app } = endpoint();
    const response = await deliver(app, 'ping', `\uFEFF${good}`, { 'x-hub-signature-256': goodSignature });
    expect(response.status).toBe(401);
  });

  it('is refused with another method', async () => {
    expect((await endpoint().app.request('/')).status).toBe(404);
  });
});

describe('the acknowledgement', () => {
  const body = good;

  it('is sent after the task is durable', async () => {
    const order: string[] = [];
    const { app } = endpoint({
      startTask: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push('durable');
        return 'exists';
      },
    });
    const response = await deliver(app, 'issue_comment', body);
    order.push('acknowledged');
    expect(await response.json()).toEqual({ task: 'gh-5-c9', outcome: 'exists' });
    expect(order).toEqual(['durable', 'acknowledged']);
  });

  it('is a 500 without details if the task could not be recorded, and a redelivery records it', async () => {
    const { app } = endpoint({
      startTask: async () => await Promise.reject(new Error('disk full at /secret')),
    });
    const response = await deliver(app, 'issue_comment', body);
    expect([response.status, await response.text()]).toEqual([
      500,
      '{"error":"the task could not be recorded; redeliver this event"}',
    ]);
  });

  it('is a 500 at the deadline if recording hangs', async () => {
    const { app } = endpoint({ startTask: async () => await new Promise(() => {}), deadlineMs: 30 });
    expect((await deliver(app, 'issue_comment', body)).status).toBe(500);
  });

  const { sender, installation, repository } = comment();
  const pressed = JSON.stringify({
    action: 'requested_action',
    sender,
    installation,
    repository,
    check_run: { id: 8, name: 'Airlock receipt', head_sha: 'a'.repeat(40) },
    requested_action: { identifier: 'accept' },
  });
  it.each<[boolean, number, string, Partial<WebhookDeps>]>([
    [true, 202, 'merged', {}],
    [false, 202, 'closed', {}],
    [true, 503, 'merged', { onPullEnd: async () => await Promise.reject(new Error('x')) }],
  ])('records a pull request that is closed (merged: %s): %i', async (merged, status, state, over) => {
    const ends: PullEnd[] = [];
    const { app } = endpoint({ onPullEnd: async (end) => void ends.push(end), ...over });
    const closed = '2026-11-02T10:00:00Z';
    const pull_request = { number: 7, merged, closed_at: closed };
    const body = JSON.stringify({ action: 'closed', sender, installation, repository, pull_request });
    expect((await deliver(app, 'pull_request', body)).status).toBe(status);
    const end = { repositoryId: repository.id, number: 7, state, at: Date.parse(closed) };
    expect(ends).toEqual(status === 202 ? [end] : []);
  });

  it('records a pull request that is opened again before its receipt', async () => {
    const seen: unknown[] = [];
    const { app } = endpoint({
      onPullEnd: async (end) => void seen.push(end),
      onReceiptEvent: async ({ kind }) => {
        seen.push(kind);
        return 'seen';
      },
    });
    const [updated, sha] = ['2026-11-02T10:00:00Z', 'a'.repeat(40)];
    const pull_request = { number: 7, updated_at: updated, head: { sha }, base: { ref: 'main' } };
    for (const action of ['reopened', 'synchronize']) {
      const body = JSON.stringify({ action, sender, installation, repository, pull_request });
      expect((await deliver(app, 'pull_request', body)).status).toBe(202);
    }
    const open = { repositoryId: repository.id, number: 7, state: 'open', at: Date.parse(updated) };
    expect(seen).toEqual([open, 'pull', 'pull']);
  });

  it.each<[string, number, Partial<WebhookDeps>]>([
    ['is sent after what somebody accepted is written', 202, {}],
    [
      'is a 503 if it could not be',
      503,
      { onReceiptEvent: async () => await Promise.reject(new Error('x')) },
    ],
    [
      'is a 503 at the deadline',
      503,
      { onReceiptEvent: async () => await new Promise(() => {}), deadlineMs: 30 },
    ],
  ])('%s', async (_, status, over) => {
    const response = await deliver(endpoint(over).app, 'check_run', pressed);
    const failed = { error: 'the check run could not be written; redeliver this event' };
    expect([response.status, await response.json()]).toEqual([
      status,
      status === 202 ? { receipt: 'seen' } : failed,
    ]);
  });

  it('needs a secret', () => {
    expect(() => endpoint({ secret: '' })).toThrow('the webhook secret is empty');
  });
});
