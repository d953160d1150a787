import { describe, expect, it } from 'vitest';
import { CodexRefusal } from './codex-connection.ts';
import { createSteering } from './steering.ts';
import { at } from './turn-end.ts';

/** Mulberry32: the same numbers for a seed on every machine. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

/**
 * A turn with a scripted model, as Codex 0.171.0 runs it: what waits is written into the history before each
 * request to the model; what arrives between the last look and the end is written without one.
 */
async function raceWithTheEnd(seed: number) {
  const random = randomFrom(seed);
  const waiting: string[] = [];
  const read: string[] = [];
  const reported: [string, string][] = [];
  let active = true;
  const steering = createSteering(
    {
      async request(_method, params) {
        const id = String(at(params, 'clientUserMessageId'));
        for (let turns = random(3); turns > 0; turns -= 1) await settled();
        if (!active) throw new CodexRefusal('no active turn to steer');
        waiting.push(id);
        return { turnId: 'turn' };
      },
    },
    () => undefined,
    {
      remark: (id, state) => (state === 'taken' ? undefined : reported.push([id, state])),
      failed: () => undefined,
    },
  );
  const item = (method: 'item/started' | 'item/completed', type: string, clientId: string | null = null) =>
    steering.notification({ method, params: { item: { type, clientId } } });
  const write = (): readonly string[] => {
    const written = waiting.splice(0);
    for (const id of written) {
      item('item/started', 'userMessage', id);
      item('item/completed', 'userMessage', id);
    }
    return written;
  };
  const remarks = Array.from({ length: 1 + random(3) }, (_, index) => `remark-${index}`);
  const begin = random(4);
  let steps = 0;
  const step = async (): Promise<void> => {
    if (steps++ === begin) steering.turnStarted('thread', 'turn');
    const next = remarks[0];
    if (next !== undefined && random(3) === 0) {
      remarks.shift();
      // The control file can be read again after a restart of its reader.
      for (const text of ['do it', 'do it']) steering.act({ kind: 'steer', id: next, text });
    }
    await settled();
  };
  const all = [...remarks];
  do {
    read.push(...write());
    item('item/started', 'agentMessage');
    await step();
    item('item/completed', 'agentMessage');
    await step();
  } while (waiting.length > 0 || random(3) > 0);
  // Codex has looked for the last time.
  await step();
  write();
  active = false;
  steering.notification({ method: 'turn/completed', params: {} });
  for (let more = 0; more < 6; more += 1) await step();
  return { all, read, reported };
}

describe('a remark', () => {
  it('is reported as reached once if the model has read it, else never, in 200 races', async () => {
    const fates = { reached: 0, missed: 0 };
    for (let seed = 1; seed <= 200; seed += 1) {
      const { all, read, reported } = await raceWithTheEnd(seed);
      const reached = reported.filter(([, state]) => state === 'reached').map(([id]) => id);
      expect({ seed, reached }).toEqual({ seed, reached: read });
      expect(new Set(reported.map(([id]) => id)).size).toBe(reported.length);
      fates.reached += reached.length;
      fates.missed += all.length - reached.length;
    }
    // Both ends occur often, so the races are races.
    expect(Math.min(fates.reached, fates.missed)).toBeGreaterThan(50);
  });
});
