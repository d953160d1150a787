/** The pages through the whole Worker: who sees a task, asked of the simulated GitHub. */
import { introspectWorkflowInstance, listDurableObjectIds } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { beforeAll, expect, inject, it } from 'vitest';
import { repeatedTaskId } from '../../src/core/ids.ts';
import { createSigner } from '../../src/lib/signer.ts';
import { authorization, recordOf, taskRequest } from './task.ts';

const id = 'page-1';

beforeAll(async () => {
  await env.SLOTS.get(env.SLOTS.idFromName('slots')).accepted(id);
  await recordOf(id).open(taskRequest(id, { instruction: 'Fix <the> rounding' }));
  await recordOf(id).learn({ authorization: authorization() });
});

/** Visits as somebody who signed in. */
async function visit(path: string, login: string, userId: number, init: RequestInit = {}): Promise<Response> {
  const viewer = { kind: 'github', login, id: userId };
  const session = JSON.stringify({ viewer, until: Date.now() + 60_000, nonce: 'n' });
  const cookie = `airlock=${await createSigner(inject('github').pkcs1).sign('session', session)}`;
  return await exports.default.fetch(`http://airlock.example${path}`, { ...init, headers: { cookie } });
}

it('shows a task to collaborators, and to no stranger, whatever their login', async () => {
  const { ada, rea, eve } = inject('people');
  const seen = async (login: string, userId: number) => {
    const answer = await visit(`/t/${id}`, login, userId);
    const text = await answer.text();
    return [answer.status, text.includes('Fix &lt;the&gt; rounding'), text.includes('/cancel')];
  };
  expect(await seen('ada', ada)).toEqual([200, true, true]);
  expect(await seen('rea', rea)).toEqual([200, true, false]);
  expect(await seen('eve', eve)).toEqual([404, false, false]);
  expect(await seen('ada', 999_999)).toEqual([404, false, false]);
});

it('runs a task again once for a double click, in the name of the person', async () => {
  const { ada, rea } = inject('people');
  const endedId = 'api-ended';
  await env.SLOTS.get(env.SLOTS.idFromName('slots')).accepted(endedId);
  await recordOf(endedId).open(taskRequest(endedId));
  await recordOf(endedId).learn({ authorization: authorization() });
  await recordOf(endedId).finish({ kind: 'cancelled', by: 'somebody' });
  const press = async (login: string, userId: number) => {
    const page = await (await visit(`/t/${endedId}`, 'ada', ada)).text();
    const token = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const form = { method: 'POST', redirect: 'manual', body: new URLSearchParams({ token }) } as const;
    const answer = await visit(`/t/${endedId}/again`, login, userId, form);
    return [answer.status, answer.headers.get('location')];
  };
  expect(await press('rea', rea)).toEqual([403, null]);
  const taskId = await repeatedTaskId(endedId, null);
  const instance = await introspectWorkflowInstance(env.TASK_WORKFLOW, taskId);
  try {
    const first = await press('ada', ada);
    // One that was refused gives its place to another, and this one will be: however early the clicks come.
    await recordOf(taskId).learn({ authorization: authorization() });
    const clicks = [first, ...(await Promise.all([press('ada', ada), press('ada', ada)]))];
    expect(clicks).toEqual(clicks.map(() => [303, `/t/${taskId}`]));
    const shown = await (await visit(`/t/${taskId}`, 'ada', ada)).text();
    expect(shown).toContain(`<a href="/t/${endedId}">asked again</a> by ada`);
    expect(await (await visit(`/t/${endedId}`, 'ada', ada)).text()).toContain(`href="/t/${taskId}"`);
    // The bundled configuration lists no repository.
    await instance.waitForStatus('complete');
    expect(await instance.getOutput()).toMatchObject({ kind: 'refused' });
  } finally {
    await instance.dispose();
  }
});

it('streams the log of a task to the page', async () => {
  const { ada } = inject('people');
  const stream: ReadableStream<unknown> | null = (await visit(`/t/${id}/events`, 'ada', ada)).body;
  const text: string[] = [];
  for await (const chunk of stream ?? []) {
    if (chunk instanceof Uint8Array) text.push(new TextDecoder().decode(chunk));
    if (text.length === 2) break;
  }
  expect(text[0]).toBe('retry: 1000\n\n');
  expect(text[1]).toMatch(/^id: 1\nevent: phase\n/);
});

it('makes no record of a task that was never accepted', async () => {
  const before = (await listDurableObjectIds(env.TASKS)).length;
  expect((await visit('/t/never-accepted', 'ada', inject('people').ada)).status).toBe(404);
  expect((await listDurableObjectIds(env.TASKS)).length).toBe(before);
});
