/**
 * Decides the status of a sandbox on Cloudflare from what its Durable Object remembers and from whether a
 * container runs. Pure. A life goes one way: none → starting → started → ended. There is no way back: a grant
 * must never apply to a second container under the same id.
 */
import * as z from 'zod';

export const lifeSchema = z.discriminatedUnion('state', [
  /** No command has run yet: another attempt can start the container again. */
  z.object({ state: z.literal('starting') }),
  /**
   * `instance` names the folder that `start` created in the container. Only the container that was started
   * has it.
   */
  z.object({ state: z.literal('started'), instance: z.string() }),
  z.object({ state: z.literal('ended'), why: z.string() }),
]);
export type Life = z.infer<typeof lifeSchema>;

export type SandboxStatus =
  | { readonly kind: 'running'; readonly instance: string }
  /** A start has to begin, or to continue. */
  | { readonly kind: 'fresh' }
  | { readonly kind: 'lost'; readonly why: string };

export const goneWhy = 'its container is gone';

/** Returns the current status. `life` is null for an object that was never started. */
export function statusOf(life: Life | null, containerRuns: boolean): SandboxStatus {
  switch (life?.state) {
    case undefined:
    case 'starting':
      return { kind: 'fresh' };
    case 'started':
      // Lost for good: we never start a container twice, so one that runs later is another one.
      return containerRuns ? { kind: 'running', instance: life.instance } : { kind: 'lost', why: goneWhy };
    case 'ended':
      return { kind: 'lost', why: life.why };
  }
}

/**
 * Decides whether a container may start now. `inStart`: `start` asks for it, not the SDK on behalf of a call
 * that found none.
 */
export function mayStartContainer(life: Life | null, inStart: boolean): boolean {
  return inStart && life?.state === 'starting';
}
