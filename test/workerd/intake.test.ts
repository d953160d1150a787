/** GitHub webhooks through the whole Worker: its answer, and the durable state at the time of the answer. */
import { introspectWorkflowInstance, listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { expect, inject, it } from 'vitest';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { githubClient } from '../../src/github/client.ts';
import { recordOf, sandboxCalls } from './task.ts';

const ada = { login: 'ada', id: 7, type: 'User' };

const rea = { login: 'rea', id: 8, type: 'User' };

function mention(commentId: number, person = ada): string {
  const { id, installationId, issue } = inject('repository');
  return JSON.stringify({
    action: 'created',
    sender: person,
    installation: { id: installationId },
    repository: { id, name: 'split', owner: { login: 'acme' } },
    issue: {
      number: issue,
      title: 'Rounding',
      body: 'It rounds wrongly.',
      user: ada,
      created_at: '2026-11-01T09:00:00Z',
      updated_at: '2026-11-01T09:00:00Z',
    },
    comment: { id: commentId, body: '@acme-codex fix it', user: person, created_at: '2026-11-01T10:00:00Z' },
  });
}

async function signature(body: string, secret: string): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes(secret), algorithm, false, ['sign']);
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes(body)));
  return `sha256=${[...mac].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

async function deliver(body: string, headers: Record<string, string>): Promise<Response> {
  return await exports.default.fetch(
    new Request('http://airlock.test/github/webhooks', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-github-event': 'issue_comment', ...headers },
      body,
    }),
  );
}

it('creates a task and its Workflow instance for a signed mention before it acknowledges', async () => {
  const body = mention(101);
  const taskId = `gh-${inject('repository').id}-c101`;
  const instance = await introspectWorkflowInstance(env.TASK_WORKFLOW, taskId);
  // Not with `await using`, whose helper the pool does not load.
  try {
    const answer = await deliver(body, {
      'x-hub-signature-256': await signature(body, inject('github').webhookSecret),
    });
    expect([answer.status, await answer.json()]).toEqual([202, { task: taskId, outcome: 'started' }]);
    expect(await recordOf(taskId).view()).toMatchObject({ taskId, requester: 'ada' });
    expect((await (await env.TASK_WORKFLOW.get(taskId)).status()).status).toMatch(/queued|running|complete/);

    // The bundled configuration lists no repository, so the task is refused without a sandbox.
    await instance.waitForStatus('complete');
    const outcome = { kind: 'refused', reason: expect.objectContaining({ code: expect.any(String) }) };
    expect(await instance.getOutput()).toEqual(outcome);
    expect((await recordOf(taskId).view())?.outcome).toEqual(outcome);
    expect(await sandboxCalls(taskId)).not.toContain('start');
  } finally {
    await instance.dispose();
  }
});

it('creates one task for ten concurrent deliveries of the same webhook', async () => {
  const body = mention(102);
  const signed = { 'x-hub-signature-256': await signature(body, inject('github').webhookSecret) };
  const taskId = `gh-${inject('repository').id}-c102`;
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const answer = await deliver(body, signed);
      return `${answer.status} ${await answer.text()}`;
    }),
  );
  expect(answers.toSorted()).toEqual([
    ...Array.from({ length: 9 }, () => `202 {"task":"${taskId}","outcome":"exists"}`),
    `202 {"task":"${taskId}","outcome":"started"}`,
  ]);
});

it('spends one task and one comment on twenty mentions by somebody without access', async () => {
  const { id, installationId, issue } = inject('repository');
  const { apiUrl, pkcs8, appId } = inject('github');
  const before = (await listDurableObjectIds(env.TASKS)).length;
  const comments = Array.from({ length: 20 }, (_, index) => 201 + index);
  const send = async (comment: number) => {
    const body = mention(comment, rea);
    const headers = { 'x-hub-signature-256': await signature(body, inject('github').webhookSecret) };
    expect((await deliver(body, headers)).status).toBe(202);
  };
  await Promise.all(comments.slice(0, 10).map(send));
  await Promise.all(comments.slice(10).map(send));

  const inbox = env.TASK_INBOX.get(env.TASK_INBOX.idFromName(`github:${id}`));
  const waiting = async () =>
    await runInDurableObject(inbox, (_, { storage }) =>
      storage.sql.exec('SELECT task_id FROM inbox WHERE body IS NOT NULL').toArray(),
    );
  await expect.poll(waiting).toEqual([]);
  expect(await listDurableObjectIds(env.TASKS)).toHaveLength(before + 1);

  const api = {
    apiUrl,
    fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init),
    now: Date.now,
  };
  const tokens = createAppTokens({ ...api, appId: Number(appId), privateKey: pkcs8 });
  const scope = {
    taskId: 'reader',
    installationId,
    repositoryId: id,
    permissions: { issues: 'read' },
  } as const;
  const client = githubClient(api, async () => await tokens.tokenFor(scope));
  const told = async () => {
    const answer = await client.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      owner: 'acme',
      repo: 'split',
      issue_number: issue,
      per_page: 100,
    });
    return answer.data.filter(({ body }) => /task=gh-\d+-c2\d\d /.test(body ?? '')).length;
  };
  await expect.poll(told).toBe(1);
});

it('acts on the button of a receipt check before it acknowledges, without a task', async () => {
  const { id, installationId, headSha } = inject('repository');
  const body = JSON.stringify({
    action: 'requested_action',
    sender: ada,
    installation: { id: installationId },
    repository: { id, name: 'split', owner: { login: 'acme' } },
    check_run: { id: 1, name: 'Airlock receipt', head_sha: headSha },
    requested_action: { identifier: 'accept' },
  });
  const before = (await listDurableObjectIds(env.TASKS)).length;
  const answer = await deliver(body, {
    'x-hub-signature-256': await signature(body, inject('github').webhookSecret),
    'x-github-event': 'check_run',
  });
  // The bundled configuration lists no repository.
  expect([answer.status, await answer.json()]).toEqual([202, { receipt: 'not-allowed' }]);
  expect(await listDurableObjectIds(env.TASKS)).toHaveLength(before);
});

it.each([
  ['unsigned', async () => ({})],
  [
    'signed with another secret',
    async (body: string) => ({ 'x-hub-signature-256': await signature(body, 'guess') }),
  ],
  [
    'signed for another body',
    async () => ({ 'x-hub-signature-256': await signature('{}', inject('github').webhookSecret) }),
  ],
])('answers 401 to a mention that is %s and creates nothing', async (_, sign) => {
  const body = mention(103);
  const before = (await listDurableObjectIds(env.TASKS)).length;
  expect((await deliver(body, await sign(body))).status).toBe(401);
  expect(await listDurableObjectIds(env.TASKS)).toHaveLength(before);
});

it('counts what it accepted, recognized and refused', async () => {
  const body = mention(190);
  const signed = { 'x-hub-signature-256': await signature(body, inject('github').webhookSecret) };
  const [one, other] = [await deliver(body, signed), await deliver(body, signed)];
  expect([one.status, other.status, (await deliver(body, {})).status]).toEqual([202, 202, 401]);
  const read = async () => {
    const headers = { authorization: 'Bearer a-token-of-the-tests' };
    return await (
      await exports.default.fetch(new Request('http://airlock.test/metrics', { headers }))
    ).text();
  };
  for (const series of [
    'airlock_tasks_accepted_total{source="github"}',
    'airlock_duplicates_total{source="github"}',
    'airlock_refused_requests_total{door="github",status="401"}',
  ])
    await expect.poll(async () => (await read()).split(`\n${series} `)[1]?.charAt(0)).toMatch(/[1-9]/);
});
