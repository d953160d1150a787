/** Tells when the grant phase of an open request ends: the next phase, a cancel, the end of the task. */
import type { GrantPhase } from '../core/grant.ts';
import { egressLimits } from './limits.ts';

export interface PhaseWatch {
  /** Aborted once the phase has ended, or if that cannot be found out any more. */
  readonly ended: AbortSignal;
  stop(): void;
}

/** `hasEnded` waits for the end for a while itself; false: not yet. */
export function watchPhase(phase: GrantPhase, hasEnded: (phase: GrantPhase) => Promise<boolean>): PhaseWatch {
  const abort = new AbortController();
  let stopped = false;
  let failures = 0;
  let timer = setTimeout(() => void look(), egressLimits.phaseWatchAfterMs);
  async function look(): Promise<void> {
    const over = await hasEnded(phase).then(
      (ended) => {
        failures = 0;
        return ended;
      },
      // The record restarts, or is gone.
      () => ++failures >= egressLimits.phaseWatchFailures,
    );
    if (stopped) return;
    if (over) abort.abort(new Error(`the ${phase} phase has ended`));
    else timer = setTimeout(() => void look(), failures === 0 ? 0 : egressLimits.phaseWatchRetryMs);
  }
  return {
    ended: abort.signal,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
