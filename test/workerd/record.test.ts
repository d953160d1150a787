/** The record in its real Durable Object: storage, alarms and eviction. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import completedRun from '../codex/fixtures/completed.jsonl?raw';
import { type EgressEntry, totalOnly } from '../../src/core/grant.ts';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { authorization, setCodexOutput, recordOf, sandboxCalls, sandboxIdOf, taskRequest } from './task.ts';

const denied: EgressEntry = {
  at: 1,
  method: 'POST',
  host: 'evil.example',
  path: '/',
  verdict: 'denied',
  rule: 'host.unknown',
  reason: 'evil.example is not allowed',
  status: 403,
  bytesUp: 0,
  bytesDown: 0,
};
const modelRequest: EgressEntry = {
  ...denied,
  at: 2,
  host: 'api.openai.com',
  path: '/v1/responses',
  verdict: 'allowed',
  rule: 'openai.responses',
  reason: '',
  status: 200,
  bytesUp: 10,
  bytesDown: 20,
};

async function opened(taskId: string) {
  const record = recordOf(taskId);
  await record.open(taskRequest(taskId));
  await record.learn({ authorization: authorization() });
  return record;
}

const day = 24 * 60 * 60_000;

/** Days from now to the record's next alarm. */
async function alarmInDays(record: ReturnType<typeof recordOf>): Promise<number> {
  const at = await runInDurableObject(record, async (_, { storage }) => await storage.getAlarm());
  return ((at ?? Number.NaN) - Date.now()) / day;
}

/** The answer of the events route, read to its end or until `enough` returns true. */
async function eventsOf(
  taskId: string,
  after: number | null,
  enough: (text: string) => boolean = () => false,
) {
  const answer = await exports.default.fetch(
    new Request(`http://airlock.test/api/tasks/${taskId}/events`, {
      headers: {
        authorization: 'Bearer a-token-of-the-tests',
        ...(after === null ? {} : { 'last-event-id': String(after) }),
      },
    }),
  );
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const chunk = await reader?.read();
    if (chunk?.value !== undefined) text += chunk.value;
    if (chunk === undefined || chunk.done) return { ended: true, lines: idsAndKinds(text) };
    if (!enough(text)) continue;
    await reader?.cancel();
    return { ended: false, lines: idsAndKinds(text) };
  }
}
const idsAndKinds = (text: string) =>
  [...text.matchAll(/^id: (\d+)\nevent: (\S+)\ndata: (.+)\n\n/gm)].map(([, id, kind]) => `${id} ${kind}`);

describe('opening', () => {
  it('creates the record once, even for concurrent calls', async () => {
    const request = taskRequest('opened-once');
    const record = recordOf(request.taskId);
    const answers = await Promise.all([record.open(request), record.open(request), record.open(request)]);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(await record.view()).toMatchObject({ taskId: 'opened-once', status: 'accepted', outcome: null });
  });

  it('is not done by reading', async () => {
    expect(await recordOf('never-opened').view()).toBeNull();
    expect(await recordOf('never-opened').admitEgress()).toBeNull();
    expect(await recordOf('never-opened').watch(0)).toBeNull();
  });
});

describe('egress', () => {
  it('is counted and kept across an eviction', async () => {
    const record = await opened('egress');
    await record.enter('codex');
    expect((await record.admitEgress())?.used).toEqual({
      requests: 0,
      tokens: 0,
      bytesUp: 0,
      bytesDown: 0,
    });
    await record.recordEgress(denied, totalOnly(0));
    await record.recordEgress(denied, totalOnly(0));
    await record.recordEgress(modelRequest, totalOnly(321));
    await evictDurableObject(record);
    const grant = await record.admitEgress();
    expect(grant).toMatchObject({
      taskId: 'egress',
      phase: 'run',
      repositories: [{ owner: 'acme', name: 'split' }],
      used: { requests: 1, tokens: 321 },
    });
    expect((await record.view())?.usage).toEqual(totalOnly(321));
    expect((await record.view())?.receipt).toEqual({
      hosts: [{ host: 'api.openai.com', requests: 1, bytesUp: 10, bytesDown: 20 }],
      denied: [expect.objectContaining({ host: 'evil.example', rule: 'host.unknown', count: 2 })],
      deniedTotal: 2,
      failed: [],
      failedTotal: 0,
    });
  });

  it('is counted completely for 100 concurrent requests', async () => {
    const record = await opened('egress-at-once');
    await Promise.all(Array.from({ length: 100 }, async () => await record.admitEgress()));
    expect((await record.admitEgress())?.used.requests).toBe(100);
  });

  it('is sealed after the end of the task and after its cancellation', async () => {
    const ended = await opened('egress-ended');
    await ended.enter('codex');
    await ended.finish({ kind: 'no-change', summary: '' });
    expect((await ended.admitEgress())?.phase).toBe('sealed');

    const cancelled = await opened('egress-cancelled');
    await cancelled.enter('codex');
    await cancelled.cancel('maria').catch(() => undefined); // there is no Workflow instance to tell
    expect((await cancelled.admitEgress())?.phase).toBe('sealed');
  });
});

describe('a request under way', () => {
  type Opened = Awaited<ReturnType<typeof opened>>;
  it.each<[string, (record: Opened) => Promise<unknown>]>([
    ['the next grant phase', async (record) => await record.enter('collect')],
    ['a cancel', async (record) => await record.cancel('maria').catch(() => undefined)],
    ['the end of the task', async (record) => await record.finish({ kind: 'no-change', summary: '' })],
  ])('learns of the end of its phase by %s', async (how, end) => {
    const record = await opened(`phase-ends-by-${how.replaceAll(' ', '-')}`);
    await record.enter('codex');
    expect(await record.phaseEnded('run', 10)).toBe(false);
    const waiting = [record.phaseEnded('run', 60_000), record.phaseEnded('run', 60_000)];
    await record.admitEgress();
    await end(record);
    expect(await Promise.all(waiting)).toEqual([true, true]);
    expect(await record.phaseEnded('run', 60_000)).toBe(true);
  });
});

describe('the live view', () => {
  it('resumes after the last event seen, follows, and ends with the task', async () => {
    const record = await opened('viewed');
    await record.enter('authorize');
    await record.enter('acknowledge');
    const first = await eventsOf('viewed', null, (text) => text.includes('id: 3\n'));
    expect(first).toEqual({ ended: false, lines: ['1 phase', '2 phase', '3 phase'] });

    const following = eventsOf('viewed', 2);
    await record.enter('provision');
    await record.finish({ kind: 'no-change', summary: 'nothing to do' });
    expect(await following).toEqual({ ended: true, lines: ['3 phase', '4 phase', '5 ended'] });
  });

  it('of an ended task ends at once, even after an eviction', async () => {
    const record = await opened('viewed-late');
    await record.finish({ kind: 'no-change', summary: '' });
    expect(await eventsOf('viewed-late', 1)).toEqual({ ended: true, lines: ['2 ended'] });
    await evictDurableObject(record);
    expect(await eventsOf('viewed-late', 0)).toEqual({ ended: true, lines: ['1 phase', '2 ended'] });
    expect(await eventsOf('viewed-late', 99)).toEqual({ ended: true, lines: [] });
  });

  it('sends the same events to two viewers', async () => {
    const record = await opened('viewed-twice');
    const both = Promise.all([eventsOf('viewed-twice', 0), eventsOf('viewed-twice', 0)]);
    await record.enter('authorize');
    await record.finish({ kind: 'no-change', summary: '' });
    const [one, other] = await both;
    expect(one).toEqual({ ended: true, lines: ['1 phase', '2 phase', '3 ended'] });
    expect(other).toEqual(one);
  });
});

describe('a kept file', () => {
  const MiB = 1024 * 1024;
  it.each([
    ['empty', ''],
    ['short', 'a\u0000b\r\n'],
    ['with a byte order mark', '\uFEFFtext'],
    ['exactly one part', 'x'.repeat(MiB)],
    ['three parts, with characters across the boundaries', `x${'€'.repeat(MiB)}`],
    ['with emoji of four bytes each', `ab${'🦀'.repeat(600_000)}`],
  ])('is read back unchanged: %s', async (name, content) => {
    const record = await opened(`kept-${name.replaceAll(/[^a-z]+/g, '-')}`);
    await record.keep('change.ndjson', content);
    await evictDurableObject(record);
    expect((await record.kept('change.ndjson')) === content).toBe(true);
    expect(await record.kept('other')).toBeNull();
  });

  it('is replaced completely, even by a shorter one', async () => {
    const record = await opened('kept-again');
    await record.keep('change.ndjson', 'y'.repeat(3 * MiB));
    await record.keep('change.ndjson', 'short');
    expect(await record.kept('change.ndjson')).toBe('short');
  });
});

describe('the watchdog', () => {
  it('ends an overdue task with a reason and destroys its sandbox', async () => {
    const acceptedAt = new Date(Date.now() - 45 * 60_000).toISOString();
    const record = recordOf('overdue');
    await record.open(taskRequest('overdue', { acceptedAt }));
    expect(await runDurableObjectAlarm(record)).toBe(true);
    expect((await record.view())?.outcome).toMatchObject({
      kind: 'failed',
      reason: { code: 'overdue' },
      changeKept: false,
    });
    expect(await sandboxCalls('overdue')).toEqual(['destroy']);
    // The record is closed. After a last look its next alarm is its expiry.
    expect(await runDurableObjectAlarm(record)).toBe(true);
    expect(await alarmInDays(record)).toBeCloseTo(30, 1);
  });

  it('ends a task whose Workflow failed without ending it', async () => {
    const record = await opened('aborted');
    const request = taskRequest('aborted');
    // An instance with invalid parameters fails before its first step.
    const instance = await env.TASK_WORKFLOW.create({
      id: 'aborted',
      params: { kind: 'task', request: { ...request, shortId: 'no hex' } },
    });
    await expect.poll(async () => (await instance.status()).status).toBe('errored');
    expect(await runDurableObjectAlarm(record)).toBe(true);
    expect((await record.view())?.outcome).toMatchObject({
      kind: 'failed',
      reason: { code: 'workflow-aborted' },
    });
    expect(await sandboxCalls('aborted')).toEqual(['destroy']);
  });

  it('creates the Workflow instance that a crash left uncreated', async () => {
    const record = recordOf('never-created');
    const acceptedAt = new Date(Date.now() - 60_000).toISOString();
    await record.open(taskRequest('never-created', { acceptedAt }));
    expect(await runDurableObjectAlarm(record)).toBe(true);
    // The bundled configuration lists no repository.
    await expect.poll(async () => (await record.view())?.outcome?.kind).toBe('refused');
  });

  it('revokes the tokens of an ended task that are still live', async () => {
    const { apiUrl, appId, pkcs8 } = inject('github');
    const { installationId, id: repositoryId } = inject('repository');
    const record = await opened('leaves-a-token');
    const tokens = createAppTokens({
      apiUrl,
      fetch: (async (input, init) => await fetch(input, init)) satisfies typeof fetch,
      now: Date.now,
      appId: Number(appId),
      privateKey: pkcs8,
      ledger: {
        remember: async (_, sealed, expiresAt) => await record.rememberToken(sealed, expiresAt),
        live: async () => await record.liveTokens(),
        forget: async (_, sealed) => await record.forgetToken(sealed),
      },
    });
    const permissions = { issues: 'read' } as const;
    const token = await tokens.tokenFor({
      taskId: 'leaves-a-token',
      installationId,
      repositoryId,
      permissions,
    });
    const status = async () => {
      const headers = { authorization: `Bearer ${token}`, 'x-github-api-version': '2022-11-28' };
      return (await fetch(`${apiUrl}/repos/acme/split/issues`, { headers })).status;
    };
    expect(await status()).not.toBe(401);
    await record.finish({ kind: 'no-change', summary: '' });
    await record.close();
    for (let alarms = 0; alarms < 3; alarms += 1) await runDurableObjectAlarm(record);
    expect(await status()).toBe(401);
    expect(await record.liveTokens()).toEqual([]);
  });

  it('only schedules its next alarm for a task within its time limit', async () => {
    const record = await opened('in-time');
    expect(await runDurableObjectAlarm(record)).toBe(true);
    expect((await record.view())?.outcome).toBeNull();
    expect(await sandboxCalls('in-time')).toEqual([]);
    expect(await runDurableObjectAlarm(record)).toBe(true);
  });

  it('keeps the first outcome', async () => {
    const record = await opened('first-outcome');
    await record.finish({ kind: 'no-change', summary: 'first' });
    await record.finish({ kind: 'cancelled', by: 'maria' });
    expect((await record.view())?.outcome).toEqual({ kind: 'no-change', summary: 'first' });
  });
});

describe('an ended task', () => {
  /** A record of a task that ended this many days ago. */
  async function endedFor(taskId: string, days: number) {
    const record = await opened(taskId);
    await record.keep('change.ndjson', 'a line');
    await record.finish({ kind: 'no-change', summary: '' });
    await record.updatePost();
    await record.close();
    await runInDurableObject(record, (_, { storage }) => {
      const row = storage.sql.exec<{ body: string }>("SELECT body FROM document WHERE name = 'state'").one();
      const state: unknown = JSON.parse(row.body);
      const phases = [{ phase: 'ended', at: Date.now() - days * day }];
      const aged = { ...z.looseObject({}).parse(state), phases };
      storage.sql.exec("UPDATE document SET body = ? WHERE name = 'state'", JSON.stringify(aged));
    });
    await evictDurableObject(record);
    return record;
  }

  it('is kept for the configured retention time', async () => {
    const record = await endedFor('kept-29-days', 29);
    expect(await runDurableObjectAlarm(record)).toBe(true);
    expect(await record.view()).toMatchObject({ status: 'ended' });
    expect(await record.kept('change.ndjson')).toBe('a line');
    expect(await alarmInDays(record)).toBeCloseTo(1, 1);
  });

  it('is deleted after the retention time', async () => {
    const record = await endedFor('kept-31-days', 31);
    expect(await runDurableObjectAlarm(record)).toBe(true);
    for (const forgotten of [record, await evicted(record)]) {
      expect(await forgotten.view()).toBeNull();
      expect(await forgotten.snapshot()).toBeNull();
      expect(await forgotten.kept('change.ndjson')).toBeNull();
      expect(await forgotten.events()).toEqual([]);
      expect(await forgotten.watch(0)).toBeNull();
      expect(await forgotten.admitEgress()).toBeNull();
      expect(await forgotten.needsSlot()).toBe(false);
    }
    const left = await runInDurableObject(record, (_, { storage }) =>
      storage.sql.exec<{ name: string }>('SELECT name FROM document').toArray(),
    );
    expect(left).toEqual([{ name: 'tombstone' }]);
    const answer = await exports.default.fetch(
      new Request('http://airlock.test/api/tasks/kept-31-days', {
        headers: { authorization: 'Bearer a-token-of-the-tests' },
      }),
    );
    expect(answer.status).toBe(404);
  });

  it('is not started again by a redelivery of its trigger', async () => {
    const record = await endedFor('came-again', 31);
    await runDurableObjectAlarm(record);
    expect(await record.open(taskRequest('came-again'))).toEqual({ created: false, expired: true });
    expect(await record.view()).toBeNull();
    // An early alarm does not delete the tombstone either.
    await runDurableObjectAlarm(record);
    expect(await record.open(taskRequest('came-again'))).toEqual({ created: false, expired: true });
  });

  it('leaves nothing at all after another year', async () => {
    const record = await endedFor('long-ago', 31);
    await runDurableObjectAlarm(record);
    await runInDurableObject(record, (_, { storage }) => {
      const tombstone = JSON.stringify({ expiredAt: Date.now() - 366 * day });
      storage.sql.exec("UPDATE document SET body = ? WHERE name = 'tombstone'", tombstone);
    });
    await runDurableObjectAlarm(record);
    const tables = await runInDurableObject(record, (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'document'").toArray(),
    );
    expect(tables).toEqual([]);
    expect(await runDurableObjectAlarm(record)).toBe(false);
  });

  async function evicted(record: ReturnType<typeof recordOf>) {
    await evictDurableObject(record);
    return record;
  }
});

describe('a task in the queue', () => {
  it('shows its place in view and log, and is checked once a minute', async () => {
    const record = await opened('queued');
    await record.enter('slot');
    await record.learn({ queuePosition: 7 });
    await record.learn({ queuePosition: 7 });
    await record.learn({ queuePosition: 3 });
    await evictDurableObject(record);
    expect((await record.view())?.queuePosition).toBe(3);
    expect(
      (await record.events()).flatMap(({ body }) => (body.kind === 'queued' ? body.position : [])),
    ).toEqual([7, 3]);
    await runDurableObjectAlarm(record);
    expect(await alarmInDays(record)).toBeCloseTo(60_000 / day, 4);
    await record.enter('provision');
    expect((await record.view())?.queuePosition).toBeNull();
    expect(await alarmInDays(record)).toBeCloseTo(5_000 / day, 4);
  });

  it('releases its slot when its sandbox is destroyed or it is cancelled', async () => {
    const [first, second] = [await opened('slot-held'), await opened('slot-cancelled')];
    const queue = env.SLOTS.get(env.SLOTS.idFromName('slots'));
    const claimed = { repository: 'acme/split', requester: null };
    await queue.request({ taskId: 'slot-held', ...claimed });
    await queue.request({ taskId: 'slot-cancelled', ...claimed });
    expect(await first.needsSlot()).toBe(true);
    await first.finish({ kind: 'no-change', summary: '' });
    await first.close();
    await second.cancel('maria').catch(() => undefined); // there is no Workflow instance to tell
    expect([await first.needsSlot(), await second.needsSlot()]).toEqual([false, false]);
    const held = await runInDurableObject(queue, (_, { storage }) =>
      storage.sql.exec("SELECT task_id FROM slot WHERE task_id LIKE 'slot-%'").toArray(),
    );
    expect(held).toEqual([]);
  });
});

describe('the observer', () => {
  const lines = completedRun.trimEnd().split('\n');
  const half = `${lines.slice(0, 12).join('\n')}\n${lines[12]?.slice(0, 20) ?? ''}`;

  it('resumes after a crash of its object without losing or repeating events', async () => {
    let record = await opened('crashed');
    await record.enter('codex');
    await setCodexOutput('crashed', half);
    await record.watchRun('codex');
    await expect.poll(async () => (await record.view())?.progress?.threadId).toEqual(expect.any(String));
    // Unlike a crash, an eviction would wait for the end of the observing alarm.
    await runInDurableObject(record, (_, state) => state.abort('killed by the test')).catch(() => undefined);
    record = recordOf('crashed');
    await setCodexOutput('crashed', completedRun, 0);
    await runDurableObjectAlarm(record).catch(() => undefined); // no Workflow instance receives the end
    await expect
      .poll(async () => (await record.snapshot())?.agentEnd)
      .toEqual({ kind: 'exited', exitCode: 0 });
    expect((await record.view())?.progress).toMatchObject({
      commands: [{ command: 'cat a.txt', exitCode: 0, outputTail: 'one' }],
      commandsTotal: 1,
      changedFiles: ['a.txt'],
      turn: { status: 'completed' },
      unknownEvents: 0,
    });
    await record.finish({ kind: 'no-change', summary: '' });
    const { lines: told } = await eventsOf('crashed', 0);
    expect(told.filter((line) => line.endsWith(' command.finished'))).toHaveLength(1);
    expect(told.filter((line) => line.endsWith(' files.changed'))).toHaveLength(1);
  });

  it('names the command during which a request was denied, even if it is reported later', async () => {
    const record = await opened('refused-meanwhile');
    await record.enter('codex');
    const begun = completedRun.split('\n').find((line) => line.includes('"type":"commandExecution"')) ?? '';
    const begunAt = z.object({ at: z.number() }).parse(JSON.parse(begun)).at;
    await record.recordEgress({ ...denied, at: begunAt - 20 }, totalOnly(0));
    await record.recordEgress({ ...denied, at: begunAt - 9_000, path: '/before' }, totalOnly(0));
    const rows = async () =>
      (await record.view())?.receipt.denied.map(({ path, command }) => [path, command]);
    expect(await rows()).toEqual([
      ['/', null],
      ['/before', null],
    ]);
    await setCodexOutput('refused-meanwhile', completedRun, 0);
    await record.watchRun('codex');
    await expect.poll(async () => (await record.snapshot())?.agentEnd).not.toBeNull();
    const named = [
      ['/', 'cat a.txt'],
      ['/before', null],
    ];
    expect(await rows()).toEqual(named);
    // Even after a hundred later commands have displaced it from the list.
    await runInDurableObject(record, (_, { storage }) => {
      storage.sql.exec("DELETE FROM document WHERE name = 'progress'");
    });
    await evictDurableObject(record);
    expect(await rows()).toEqual(named);
  });

  it('does not loop on a line without an end', async () => {
    const record = await opened('half-a-line');
    await setCodexOutput('half-a-line', '{"half');
    await record.watchRun('codex');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await sandboxCalls('half-a-line')).length).toBeLessThan(15);
    await setCodexOutput('half-a-line', '{"half":true}\n', 0);
    await expect
      .poll(async () => (await record.snapshot())?.agentEnd)
      .toEqual({ kind: 'exited', exitCode: 0 });
    expect((await record.view())?.progress?.unknownEvents).toBe(1);
  });
});

describe('a cancellation', () => {
  it('destroys the sandbox, is recorded, and remains the outcome of the run', async () => {
    const record = await opened('cancelled');
    await record.enter('codex');
    await record.cancel('maria').catch(() => undefined); // no Workflow instance hears of it
    expect(await record.enter('collect')).toEqual({ cancelledBy: 'maria', outcome: null });
    expect((await record.snapshot())?.agentEnd).toEqual({ kind: 'cancelled', by: 'maria' });
    expect(await sandboxCalls('cancelled')).toEqual(['destroy']);
    await evictDurableObject(record);
    expect((await record.snapshot())?.agentEnd).toEqual({ kind: 'cancelled', by: 'maria' });
  });

  it('is refused during publication and after the end', async () => {
    const record = await opened('cancelled-late');
    await record.enter('publish');
    expect(await record.cancel('maria')).toMatchObject({ cancelled: false });
    await record.finish({ kind: 'no-change', summary: '' });
    expect(await record.cancel('maria')).toEqual({ cancelled: false, reason: 'The task has already ended.' });
    expect(await sandboxCalls('cancelled-late')).toEqual([]);
  });

  it('of one task does not affect another', async () => {
    await Promise.all([opened('neighbour-a'), opened('neighbour-b')]);
    await recordOf('neighbour-a')
      .cancel('maria')
      .catch(() => undefined);
    expect(await recordOf('neighbour-b').enter('clone')).toEqual({ cancelledBy: null, outcome: null });
    expect(sandboxIdOf('neighbour-a')).not.toBe(sandboxIdOf('neighbour-b'));
    expect(env.TASKS.idFromName('x').toString()).toMatch(/^[0-9a-f]{64}$/);
  });
});
