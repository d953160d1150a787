/** The index of tasks in its real Durable Object: what its alarm forgets. What is looked up in it is `intake.test.ts`'s. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { IndexedTask } from '../../src/core/chat.ts';

const day = 24 * 60 * 60_000;
const index = env.TASK_INDEX.get(env.TASK_INDEX.idFromName('forgets'));
const task = (taskId: string, at: number): IndexedTask => ({
  taskId,
  shortId: '0a1b2c3d',
  userId: 'U1',
  channelId: 'C1',
  threadTs: null,
  messageTs: null,
  postedTs: null,
  at,
});

it('forgets tasks whose records have expired, and sleeps once none is left', async () => {
  const now = Date.now();
  await index.put(task('old', now - 34 * day));
  await index.put(task('young', now - 29 * day));
  expect(await runDurableObjectAlarm(index)).toBe(true);
  expect((await index.recent(10)).map(({ taskId }) => taskId)).toEqual(['young']);
  expect(await runDurableObjectAlarm(index)).toBe(true); // tomorrow again

  const emptied = env.TASK_INDEX.get(env.TASK_INDEX.idFromName('emptied'));
  await emptied.put(task('alone', now - 34 * day));
  await runDurableObjectAlarm(emptied);
  expect(await emptied.recent(10)).toEqual([]);
  expect(await runDurableObjectAlarm(emptied)).toBe(false);
});
