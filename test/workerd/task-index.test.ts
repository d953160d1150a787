/** The task index in its real Durable Object: expiry, and the previous task in a thread. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { IndexedTask } from '../../src/core/chat.ts';
import { createTaskIndex } from '../../src/tasks/queue/task-index.ts';

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

it('deletes tasks whose records have expired, and schedules no alarm once it is empty', async () => {
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

describe('the previous task in a thread', () => {
  const threadTs = '1700000000.000100';
  const lookedUp = env.TASK_INDEX.get(env.TASK_INDEX.idFromName('thread'));
  const inThread = (taskId: string, at: number): IndexedTask => ({ ...task(taskId, at), threadTs });

  it.each([
    ['the latest of all', null, 'd'],
    ['the one requested just before', { taskId: 'd', at: 3 }, 'c'],
    ['of two at one instant, the one with the smaller id', { taskId: 'c', at: 2 }, 'b'],
    ['the next older one after the two of one instant', { taskId: 'b', at: 2 }, 'a'],
    ['none', { taskId: 'a', at: 1 }, null],
    ['the next older one for a task that is not in the index', { taskId: 'z', at: 2 }, 'c'],
  ])('is %s', async (_, before, expected) => {
    await Promise.all(
      [inThread('d', 3), inThread('b', 2), inThread('c', 2), inThread('a', 1)].map(
        async (one) => await lookedUp.put(one),
      ),
    );
    expect((await lookedUp.inThread('C1', threadTs, before))?.taskId ?? null).toBe(expected);
  });
});

it.each([
  ['keeps every task of a repository on GitHub', '', 1001],
  ['keeps the latest thousand tasks of a channel or person in Slack', 'U1', 1000],
])('%s', async (_, userId, kept) => {
  const object = env.TASK_INDEX.get(env.TASK_INDEX.idFromName(`many-${userId}`));
  await runInDurableObject(object, async (instance, { storage }) => {
    for (let at = 1; at <= 1001; at += 1) await instance.put({ ...task(`t${at}`, at), userId });
    expect(storage.sql.exec('SELECT COUNT(*) AS many FROM task').one()).toEqual({ many: kept });
  });
});

it('finds the tasks of an issue, newest first, as soon as they are asked for', async () => {
  const tasks = createTaskIndex('T1', (name) => env.TASK_INDEX.get(env.TASK_INDEX.idFromName(name)));
  const on = (taskId: string, issueNumber: number, at: number) =>
    tasks.putOnIssue({ taskId, shortId: '0a1b2c3d', repositoryId: 5, issueNumber, at });
  await Promise.all([on('first', 7, 1), on('second', 7, 2), on('elsewhere', 8, 3)]);
  expect(await tasks.onIssue(5, 7)).toEqual(['second', 'first']);
  expect(await tasks.onIssue(6, 7)).toEqual([]);
  await tasks.removeFromIssue({ taskId: 'second', repositoryId: 5 });
  expect(await tasks.onIssue(5, 7)).toEqual(['first']);
});
