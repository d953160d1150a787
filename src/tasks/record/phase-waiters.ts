/** Those who wait in a record for the end of a grant phase. Holds no state but the waiting itself. */
import type { GrantPhase } from '../../core/grant.ts';

export interface PhaseWaiters {
  /** True once `current` is no longer `phase`; false when `waitMs` are over before that. */
  wait(phase: GrantPhase, waitMs: number): Promise<boolean>;
  /** Call it whenever the phase may have changed. */
  look(): void;
}

/** `current`: null for a sandbox without a grant. */
export function createPhaseWaiters(current: () => GrantPhase | null): PhaseWaiters {
  const waiters = new Map<() => void, GrantPhase>();
  return {
    async wait(phase, waitMs) {
      if (current() !== phase) return true;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.set(resolve, phase);
      const timer = setTimeout(resolve, waitMs);
      await promise;
      clearTimeout(timer);
      waiters.delete(resolve);
      return current() !== phase;
    },
    look() {
      if (waiters.size === 0) return;
      const now = current();
      for (const [wake, phase] of waiters) if (phase !== now) wake();
    },
  };
}
