/** The clock's sweep through the Worker's own handler, with the real queue and records: what was lost is found again. */
import { createScheduledController, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import worker from '../../src/index.ts';
import { recordOf, sandboxCalls, taskRequest } from './task.ts';

const slots = () => env.SLOTS.get(env.SLOTS.idFromName('slots'));
const claim = (taskId: string) => ({ taskId, repository: `acme/${taskId}`, requester: null });

const tick = async () => await worker.scheduled(createScheduledController(), env);

/** What broken deployments do: the alarm fails until it is dropped. */
const loseAlarm = async (_: unknown, { storage }: DurableObjectState) => await storage.deleteAlarm();
const alarm = async (_: unknown, { storage }: DurableObjectState) => await storage.getAlarm();

describe('the sweep', () => {
  it('gives a record and the queue back the alarms that they lost, and leaves others alone', async () => {
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

  it('destroys the sandbox of a task that has no record, and frees its slot; twice is as good', async () => {
    await slots().request(claim('orphan'));
    await tick();
    await tick();
    expect(await sandboxCalls('orphan')).toEqual(['destroy']);
    const { present } = await slots().watched(0, 100);
    expect(present).not.toContain('orphan');
  });

  it('asks for records that should have expired until they have', async () => {
    await slots().request(claim('long-ago'));
    await slots().release('long-ago');
    const yearsAhead = Date.now() + 5 * 365 * 24 * 60 * 60_000;
    expect((await slots().watched(yearsAhead, 100)).past).toContain('long-ago');
    expect((await slots().watched(Date.now() - 60_000, 100)).past).not.toContain('long-ago');
    await slots().forget('long-ago');
    expect((await slots().watched(yearsAhead, 100)).past).not.toContain('long-ago');
  });

  it('finds nothing of a task that never was, and says whether it had to wake one', async () => {
    expect(await recordOf('never').wake()).toBe('gone');
    await recordOf('kept').open(taskRequest('kept'));
    expect(await recordOf('kept').wake()).toBe('watched');
    await runInDurableObject(recordOf('kept'), loseAlarm);
    expect(await recordOf('kept').wake()).toBe('rearmed');
    expect(await runInDurableObject(recordOf('kept'), alarm)).not.toBeNull();
  });
});
