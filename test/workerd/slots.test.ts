/** The slot queue in its real Durable Object: storage, alarms, eviction; not the order. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { SlotClaim, SlotLimits } from '../../src/core/admission.ts';
import { taskLimits } from '../../src/tasks/limits.ts';
import type { SlotsDeps } from '../../src/tasks/queue/slots.ts';

const slots = (name: string) => env.SLOTS.get(env.SLOTS.idFromName(name));
const claim = (taskId: string, repository = 'acme/a', requester: string | null = null): SlotClaim => ({
  taskId,
  repository,
  requester,
});
const two: SlotLimits = { total: 2, perRepository: 2, perRequester: 2 };

interface World {
  readonly granted: string[];
  readonly places: (readonly [string, number])[];
  readonly asked: string[];
  now: number;
}

/** Replaces the object's dependencies until it is evicted. */
async function replaceDeps(
  name: string,
  changes: Partial<SlotsDeps> = {},
  world: World = { granted: [], places: [], asked: [], now: Date.now() },
): Promise<World> {
  await runInDurableObject(slots(name), (instance) => {
    const deps: SlotsDeps = {
      limits: two,
      granted: async (taskId) => void world.granted.push(taskId),
      moved: async (taskId, place) => void world.places.push([taskId, place]),
      needsSlot: async (taskId) => {
        world.asked.push(taskId);
        return true;
      },
      now: () => world.now,
      log: () => undefined,
      ...changes,
    };
    Object.defineProperty(instance, 'deps', { value: () => deps, configurable: true });
  });
  return world;
}

const granted = { granted: true };

it('lists every accepted task once: those with a slot, those that wait, then the others', async () => {
  const world = await replaceDeps('listed');
  for (const id of ['refused', 'l1', 'l2']) {
    world.now += 1;
    await slots('listed').accepted(id);
  }
  for (const id of ['l1', 'l2', 'l3']) await slots('listed').request(claim(id));
  expect(await slots('listed').recent(9)).toEqual(['l2', 'l1', 'l3', 'refused']);
  await slots('listed').release('l3');
  expect(await slots('listed').recent(9)).toEqual(['l2', 'l1', 'l3', 'refused']);
  world.now += 1;
  await slots('listed').release('l1');
  expect(await slots('listed').recent(9)).toEqual(['l2', 'l1', 'l3', 'refused']);
  expect(await slots('listed').recent(2)).toEqual(['l2', 'l1']);
});

describe('a slot', () => {
  it('is granted at once if one is free; otherwise the task waits', async () => {
    const { granted: told } = await replaceDeps('places');
    expect(await slots('places').request(claim('p1'))).toEqual(granted);
    expect(await slots('places').request(claim('p2'))).toEqual(granted);
    expect(await slots('places').request(claim('p3'))).toEqual({ granted: false, place: 1 });
    expect(await slots('places').request(claim('p4'))).toEqual({ granted: false, place: 2 });
    // Repositories take turns, so another repository comes second.
    expect(await slots('places').request(claim('p5', 'acme/b'))).toEqual({ granted: false, place: 2 });
    await slots('places').release('p1');
    await expect.poll(() => told).toEqual(['p3']);
    await slots('places').release('p2');
    await expect.poll(() => told).toEqual(['p3', 'p5']);
  });

  it('is granted once per task, even for concurrent requests', async () => {
    await replaceDeps('often');
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => await slots('often').request(claim('o1'))),
    );
    expect(answers).toEqual(answers.map(() => granted));
    expect(await slots('often').request(claim('o2'))).toEqual(granted);
    expect(await slots('often').request(claim('o3'))).toMatchObject({ granted: false });
  });

  it('is released once, and a release without a slot has no effect', async () => {
    const { granted: told } = await replaceDeps('back');
    await slots('back').release('never');
    for (const id of ['b1', 'b2', 'b3', 'b4']) await slots('back').request(claim(id));
    await Promise.all([slots('back').release('b1'), slots('back').release('b1')]);
    await slots('back').release('b1');
    await expect.poll(() => told).toEqual(['b3']);
    expect(await slots('back').request(claim('b4'))).toEqual({ granted: false, place: 1 });
  });

  it('is not granted to a task that left the queue', async () => {
    const { granted: told } = await replaceDeps('left');
    for (const id of ['l1', 'l2', 'l3', 'l4']) await slots('left').request(claim(id));
    await slots('left').release('l3');
    await slots('left').release('l1');
    await expect.poll(() => told).toEqual(['l4']);
  });

  it('survives an eviction together with the queue', async () => {
    const world = await replaceDeps('outlive');
    for (const id of ['e1', 'e2', 'e3', 'e4']) await slots('outlive').request(claim(id, 'acme/a', 'maria'));
    await evictDurableObject(slots('outlive'));
    await replaceDeps('outlive', {}, world);
    expect(await slots('outlive').request(claim('e2'))).toEqual(granted);
    expect(await slots('outlive').request(claim('e4'))).toEqual({ granted: false, place: 2 });
    await slots('outlive').release('e1');
    await expect.poll(() => world.granted).toEqual(['e3']);
  });
});

describe('a failed notification of a granted slot', () => {
  it('is repeated until it succeeds, even after a crash', async () => {
    let attempts = 0;
    const failing = async () => {
      attempts += 1;
      throw new Error('no such instance yet');
    };
    const world = await replaceDeps('again', { granted: failing });
    for (const id of ['a1', 'a2', 'a3']) await slots('again').request(claim(id));
    await slots('again').release('a1');
    await expect.poll(() => attempts).toBeGreaterThan(0);
    await evictDurableObject(slots('again'));
    await replaceDeps('again', {}, world);
    expect(await runDurableObjectAlarm(slots('again'))).toBe(true);
    expect(world.granted).toEqual(['a3']);
    await runDurableObjectAlarm(slots('again'));
    expect(world.granted).toEqual(['a3']);
  });

  it('is not repeated after the task has asked for its slot itself', async () => {
    const world = await replaceDeps('learnt', { granted: async () => Promise.reject(new Error('no')) });
    for (const id of ['n1', 'n2', 'n3']) await slots('learnt').request(claim(id));
    await slots('learnt').release('n1');
    expect(await slots('learnt').request(claim('n3'))).toEqual(granted);
    await replaceDeps('learnt', {}, world);
    await runDurableObjectAlarm(slots('learnt'));
    expect(world.granted).toEqual([]);
  });
});

describe('the alarm', () => {
  it('notifies waiting tasks of significant changes of their place', async () => {
    const { places } = await replaceDeps('moves', { limits: { ...two, total: 1 } });
    for (let index = 0; index <= 12; index += 1) await slots('moves').request(claim(`m${index}`));
    await slots('moves').release('m0');
    await runDurableObjectAlarm(slots('moves'));
    // Near the front every step is significant, further back a quarter of the distance.
    expect(places.map(([taskId, place]) => `${taskId} ${place}`)).toEqual([
      'm2 1',
      'm3 2',
      'm4 3',
      'm5 4',
      'm6 5',
      'm7 6',
      'm8 7',
    ]);
    await runDurableObjectAlarm(slots('moves'));
    expect(places).toHaveLength(7);
  });

  it('reclaims the slot of an ended task and grants it to the next', async () => {
    const over = new Set<string>();
    const world = await replaceDeps('over', { needsSlot: async (taskId) => !over.has(taskId) });
    for (const id of ['v1', 'v2', 'v3']) await slots('over').request(claim(id));
    over.add('v1');
    await runDurableObjectAlarm(slots('over'));
    expect(world.granted).toEqual([]); // not asked before its time
    world.now += taskLimits.leaseCheckMs;
    await runDurableObjectAlarm(slots('over'));
    await expect.poll(() => world.granted).toEqual(['v3']);
  });

  it('removes an ended task from the queue', async () => {
    const world = await replaceDeps('gone', { needsSlot: async (taskId) => taskId !== 'g3' });
    for (const id of ['g1', 'g2', 'g3', 'g4']) await slots('gone').request(claim(id));
    world.now += taskLimits.waitCheckMs;
    await runDurableObjectAlarm(slots('gone'));
    expect(await slots('gone').request(claim('g4'))).toEqual({ granted: false, place: 1 });
  });

  it('keeps the slot of an unreachable record until its sandbox must have ended', async () => {
    const world = await replaceDeps('mute', {
      needsSlot: async () => Promise.reject(new Error('overloaded')),
    });
    for (const id of ['u1', 'u2', 'u3']) await slots('mute').request(claim(id));
    world.now += taskLimits.leaseCheckMs;
    await runDurableObjectAlarm(slots('mute'));
    expect(await slots('mute').request(claim('u3'))).toMatchObject({ granted: false });
    world.now += taskLimits.leaseMs;
    await runDurableObjectAlarm(slots('mute'));
    expect(await slots('mute').request(claim('u3'))).toEqual(granted);
  });

  it('grants more slots after a deployment with higher limits', async () => {
    const world = await replaceDeps('raised');
    for (const id of ['r1', 'r2', 'r3', 'r4']) await slots('raised').request(claim(id));
    await evictDurableObject(slots('raised'));
    await replaceDeps('raised', { limits: { total: 5, perRepository: 5, perRequester: 5 } }, world);
    await runDurableObjectAlarm(slots('raised'));
    expect(world.granted).toEqual(['r3', 'r4']);
  });

  it('is no longer scheduled once no task holds a slot', async () => {
    await replaceDeps('empty');
    await slots('empty').request(claim('x1'));
    expect(await runDurableObjectAlarm(slots('empty'))).toBe(true);
    await slots('empty').release('x1');
    await runDurableObjectAlarm(slots('empty'));
    expect(await runDurableObjectAlarm(slots('empty'))).toBe(false);
  });
});
