/** The inbox in its real Durable Object: each task is started once, despite errors and crashes. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { TaskRequest } from '../../src/core/task.ts';
import { retryDelayMs, type InboxDeps } from '../../src/tasks/queue/task-inbox.ts';
import { recordOf, taskRequest } from './task.ts';

const inbox = (name: string) => env.TASK_INBOX.get(env.TASK_INBOX.idFromName(name));

/** Replaces the object's `start` until it is evicted. */
async function replaceStart(
  name: string,
  start: InboxDeps['start'],
  count: InboxDeps['count'] = () => undefined,
): Promise<void> {
  await runInDurableObject(inbox(name), (instance) => {
    const deps: InboxDeps = { start, count, now: () => Date.now(), log: () => undefined };
    Object.defineProperty(instance, 'deps', { value: () => deps });
  });
}

/** A trigger on GitHub, by a person, at an issue. */
function onGithub(taskId: string, person: number, issueNumber: number): TaskRequest {
  return taskRequest(taskId, {
    requester: { login: `person-${person}`, id: person },
    trigger: {
      kind: 'github',
      event: 'issue_opened',
      installationId: 1,
      repositoryId: 1,
      issueNumber,
      onPullRequest: false,
      mention: 'airlock',
      commentId: null,
      triggeredAt: new Date().toISOString(),
    },
  });
}

describe('the inbox', () => {
  it.each([
    ['twenty tasks are being authorized', 'storm', (index: number) => index],
    ['one person asks for everything', 'person', () => 7],
  ])('looks at few triggers of a storm while %s', async (_, title, personOf) => {
    await replaceStart(title, async () => 'started');
    let queries = 0;
    await runInDurableObject(inbox(title), (_instance, { storage }) => {
      const exec = storage.sql.exec.bind(storage.sql);
      Object.defineProperty(storage.sql, 'exec', {
        value: (...given: Parameters<typeof exec>) => {
          queries += 1;
          return exec(...given);
        },
      });
    });
    const accept = async (index: number) =>
      await inbox(title).accept(onGithub(`${title}-${index}`, personOf(index), index));
    await Promise.all(Array.from({ length: 200 }, async (_unused, index) => await accept(index + 1)));
    queries = 0;
    await inbox(title).settle('another', 'granted');
    await accept(201);
    expect(queries).toBeGreaterThan(2);
    // Some of it is for tasks that are still being started. A look at all would take more than 1,800.
    expect(queries).toBeLessThan(400);
  });

  it('starts an accepted task', async () => {
    const request = taskRequest('inbox-one');
    expect(await inbox('one').accept(request)).toBe('started');
    await expect.poll(async () => await recordOf('inbox-one').view()).toMatchObject({ taskId: 'inbox-one' });
  });

  it('starts a task once, even if it is accepted several times at once', async () => {
    const started: string[] = [];
    const counted: string[] = [];
    const start: InboxDeps['start'] = async ({ taskId }) => {
      started.push(taskId);
      return 'started';
    };
    await replaceStart('twice', start, (...one) => void counted.push(one.join(' ')));
    const request = taskRequest('inbox-twice');
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => await inbox('twice').accept(request)),
    );
    expect(answers.filter((answer) => answer === 'started')).toHaveLength(1);
    await expect.poll(() => started).toEqual(['inbox-twice']);
    expect(await inbox('twice').accept(request)).toBe('exists');
    expect(started).toEqual(['inbox-twice']);
    expect(counted).toEqual(Array.from({ length: 20 }, () => 'duplicate api'));
  });

  it('starts many tasks in the order of their arrival, a few at a time', async () => {
    const started: string[] = [];
    let atOnce = 0;
    let most = 0;
    await replaceStart('rush', async ({ taskId }) => {
      most = Math.max(most, (atOnce += 1));
      started.push(taskId);
      await new Promise((resolve) => setTimeout(resolve, 1));
      atOnce -= 1;
      return 'started';
    });
    const ids = Array.from({ length: 40 }, (_, index) => `inbox-rush-${index}`);
    await Promise.all(ids.map(async (id) => await inbox('rush').accept(taskRequest(id))));
    await expect.poll(() => started).toHaveLength(40);
    expect(started).toEqual(ids);
    expect(most).toBe(4);
  });

  it('keeps a task that failed to start and retries at a later alarm', async () => {
    const attempts: string[] = [];
    await replaceStart('later', async ({ taskId }) => {
      attempts.push(taskId);
      if (attempts.length === 1) throw new Error('GitHub is on fire');
      return 'started';
    });
    await inbox('later').accept(taskRequest('inbox-later'));
    await expect.poll(() => attempts).toHaveLength(1);
    expect(await inbox('later').accept(taskRequest('inbox-later'))).toBe('exists');
    await new Promise((resolve) => setTimeout(resolve, retryDelayMs(0) + 50));
    expect(await runDurableObjectAlarm(inbox('later'))).toBe(true);
    expect(attempts).toHaveLength(2);
  });

  it('starts a task after a crash that followed its acceptance', async () => {
    let attempts = 0;
    await replaceStart('crash', async () => {
      attempts += 1;
      throw new Error('the machine is going down');
    });
    await inbox('crash').accept(taskRequest('inbox-crash'));
    await expect.poll(() => attempts).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, retryDelayMs(0) + 50));
    await evictDurableObject(inbox('crash'));
    expect(await runDurableObjectAlarm(inbox('crash'))).toBe(true);
    expect(await recordOf('inbox-crash').view()).toMatchObject({ taskId: 'inbox-crash' });
  });
});

describe('a failed start', () => {
  it.each([
    [0, 1000],
    [1, 2000],
    [5, 32_000],
    [6, 60_000],
    [1000, 60_000],
  ])('after %i earlier ones is retried in %i ms', (attempts, ms) => {
    expect(retryDelayMs(attempts)).toBe(ms);
  });
});
