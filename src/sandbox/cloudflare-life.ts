/**
 * Where a sandbox on Cloudflare stands in its one life, decided from what its Durable Object remembers and from whether a container runs.
 * Pure. A life goes one way: none → starting → started → ended. Nothing leads back: a grant must not come back to life with a new
 * container under the same id.
 */
import * as z from 'zod';

export const lifeSchema = z.discriminatedUnion('state', [
  /** No command has run yet: another attempt may start the container again. */
  z.object({ state: z.literal('starting') }),
  /** `instance`: name of the folder that `start` left in the container. Only the very container that was started has it. */
  z.object({ state: z.literal('started'), instance: z.string() }),
  z.object({ state: z.literal('ended'), why: z.string() }),
]);
export type Life = z.infer<typeof lifeSchema>;

export type Standing =
  | { readonly kind: 'running'; readonly instance: string }
  /** A start is to go on, or to begin. */
  | { readonly kind: 'fresh' }
  | { readonly kind: 'lost'; readonly why: string };

export const goneWhy = 'its container is gone';

/** What is so now. `life` is null for an object that was never told to start. */
export function standingOf(life: Life | null, containerRuns: boolean): Standing {
  switch (life?.state) {
    case undefined:
    case 'starting':
      return { kind: 'fresh' };
    case 'started':
      // Also when it runs again: nothing of ours starts it a second time, so what runs is not what was started.
      return containerRuns ? { kind: 'running', instance: life.instance } : { kind: 'lost', why: goneWhy };
    case 'ended':
      return { kind: 'lost', why: life.why };
  }
}

/** Whether a container may be started now. `inStart`: asked for by `start`, and not by the SDK because some call found none. */
export function mayStartContainer(life: Life | null, inStart: boolean): boolean {
  return inStart && life?.state === 'starting';
}
