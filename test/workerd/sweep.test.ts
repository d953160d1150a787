/** Cron reconciliation through the Worker's handler, with the real queue and records. */
import { createScheduledController, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import worker from '../../src/index.ts';
import { recordOf, sandboxCalls, taskRequest } from './task.ts';

const slots = () => env.SLOTS.get(env.SLOTS.idFromName('slots'));
const claim = (taskId: string) => ({ taskId, repository: `acme/${taskId}`, requester: null });

const tick = async () => await worker.scheduled(createScheduledController(), env);

/** Simulates a broken deployment, whose alarm fails until the platform drops it. */
const loseAlarm = async (_: unknown, { storage }: DurableObjectState) => await storage.deleteAlarm();
const alarm = async (_: unknown, { storage }: DurableObjectState) => await storage.getAlarm();

const before = (pastBefore: number) => ({ freshSince: 0, pastBefore });

describe('the sweep', () => {
  it('re-arms lost alarms of records and the queue, and no others', async () => {
    await recordOf('asleep').open(taskRequest('asleep'));
    await recordOf('awake').open(taskRequest('awake'));
    await slots().request(claim('asleep'));
    await slots().request(claim('awake'));
    await runInDurableObject(recordOf('asleep'), loseAlarm);
    await runInDurableObject(slots(), loseAlarm);
    const before = await runInDurableObject(recordOf('awake'), alarm);
    await tick();
    expect(await runInDurableObject(recordOf('asleep'), alarm)).not.toBeNull();
    expect(await runInDurableObject(slots(), alarm)).not.toBeNull();
    expect(await runInDurableObject(recordOf('awake'), alarm)).toBe(before);
    expect(await sandboxCalls('asleep')).toEqual([]);
    await slots().release('asleep');
    await slots().release('awake');
  });

  it('destroys the sandbox of a task without a record and releases its slot, idempotently', async () => {
    await slots().request(claim('orphan'));
    await tick();
    await tick();
    expect(await sandboxCalls('orphan')).toEqual(['destroy']);
    const { present } = await slots().watched(before(0), 100);
    expect(present).not.toContain('orphan');
  });

  it('checks overdue records until they have expired', async () => {
    await slots().request(claim('long-ago'));
    await slots().release('long-ago');
    const yearsAhead = Date.now() + 5 * 365 * 24 * 60 * 60_000;
    const { past, fresh } = await slots().watched(before(yearsAhead), 100);
    expect(past).toContain('long-ago');
    expect(fresh).toContain('long-ago');
    expect((await slots().watched(before(Date.now() - 60_000), 100)).past).not.toContain('long-ago');
    await slots().forget('long-ago');
    expect((await slots().watched(before(yearsAhead), 100)).past).not.toContain('long-ago');
  });

  it('finds nothing for an unknown task, and reports whether it re-armed a record', async () => {
    expect(await recordOf('never').wake()).toBe('gone');
    await recordOf('kept').open(taskRequest('kept'));
    expect(await recordOf('kept').wake()).toBe('watched');
    await runInDurableObject(recordOf('kept'), loseAlarm);
    expect(await recordOf('kept').wake()).toBe('rearmed');
    expect(await runInDurableObject(recordOf('kept'), alarm)).not.toBeNull();
  });
});
