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

describe('the latest turn of a conversation', () => {
  const turns = createTaskIndex('T1', (name) => env.TASK_INDEX.get(env.TASK_INDEX.idFromName(name)));
  const put = async (
    taskId: string,
    at: number,
    places: readonly string[],
    more: { continued?: string; shared?: boolean } = {},
  ) => {
    const { continued = null, shared = true } = more;
    await turns.putTurn({ repositoryId: 30, taskId, at, places: { places, shared }, continued });
  };
  const latest = async (...places: string[]) => await turns.latestTurn(30, places);

  it('is found at every place of the turns before it, in its repository alone', async () => {
    await put('issue', 1, ['#7', '#8']);
    expect(await latest('#8')).toBe('issue');
    await put('slack', 2, ['slack:T1:C1:1.1', '#8'], { continued: 'issue' });
    for (const place of ['#7', '#8', 'slack:T1:C1:1.1']) expect(await latest(place)).toBe('slack');
    expect(await latest('#9')).toBeNull();
    expect(await latest()).toBeNull();
    expect(await turns.latestTurn(31, ['#7'])).toBeNull();
  });

  it('is the one that was asked for last, whichever ended last', async () => {
    await put('later', 5, ['#10']);
    await put('earlier', 4, ['#10', '#11']);
    expect(await latest('#10')).toBe('later');
    expect(await latest('#11', '#10')).toBe('later');
  });

  it('is not found on GitHub if the words of a Slack conversation are not for everybody there', async () => {
    await put('on-github', 6, ['#20']);
    await put('private', 7, ['slack:T1:D1:1.1', '#20', '#21'], { continued: 'on-github', shared: false });
    expect(await latest('#20')).toBe('on-github');
    expect(await latest('#21')).toBeNull();
    expect(await latest('slack:T1:D1:1.1', '#20')).toBe('private');
  });

  it('is deleted when its record has expired', async () => {
    const object = env.TASK_INDEX.get(env.TASK_INDEX.idFromName('github:32'));
    const now = Date.now();
    const places = { places: ['#1'], shared: true };
    await object.putTurn({ taskId: 'old', at: now - 34 * day, places, continued: null });
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await object.latestTurn(['#1'])).toBeNull();
    expect(await runDurableObjectAlarm(object)).toBe(false);
  });
});
