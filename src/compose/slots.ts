/** Wires the queue for slots. */
import type { SlotsDeps } from '../tasks/queue/slots.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { recordOf, wakeInstance } from './objects.ts';
import { platformOf } from './platform.ts';
import { log, now } from './runtime.ts';

export function composeSlots(env: Env): SlotsDeps {
  const { slots } = baseOf(env).config;
  return {
    limits: { ...slots, total: Math.min(slots.total, platformOf(env).room) },
    granted: async (taskId) => await wakeInstance(env, taskId),
    moved: async (taskId, place) => await recordOf(env, taskId).learn({ queuePosition: place }),
    needsSlot: async (taskId) => await recordOf(env, taskId).needsSlot(),
    now,
    log,
  };
}
