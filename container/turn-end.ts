/** Decides when the turn has ended: by Codex's report, or a while after the final answer without one. */
import { isRecord } from './codex-job.ts';
import type { Notification } from './event-file.ts';

export type TurnStatus = 'completed' | 'failed' | 'interrupted';

/** Codex reports the end of a turn within milliseconds of its final answer. */
const finalAnswerGraceMs = 30_000;
/** The model does not say that the message is final, and something can follow it in the same answer. */
const messageGraceMs = 180_000;

export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce((found: unknown, key) => (isRecord(found) ? found[key] : undefined), value);

const turnStatus = (params: unknown): TurnStatus => {
  const status = at(params, 'turn', 'status');
  return status === 'completed' || status === 'interrupted' ? status : 'failed';
};

/** Milliseconds to wait for the end of the turn after this item; null if it does not end a turn. */
function graceAfter(item: unknown): number | null {
  if (at(item, 'type') !== 'agentMessage') return null;
  const phase = at(item, 'phase');
  if (phase === 'final_answer') return finalAnswerGraceMs;
  return phase === undefined || phase === null ? messageGraceMs : null;
}

export interface TurnEnd {
  /** The turn's status; the first reason for an end settles it. */
  readonly ended: Promise<TurnStatus>;
  readonly end: (status: TurnStatus) => void;
  /** Reads a notification of the turn's thread. */
  readonly notification: (notification: Notification) => void;
  /** Stops waiting. */
  readonly close: () => void;
}

/** `onSilence` is called before a turn ends whose end Codex did not report. */
export function createTurnEnd(onSilence: () => void): TurnEnd {
  const { promise, resolve } = Promise.withResolvers<TurnStatus>();
  let timer: NodeJS.Timeout | null = null;
  const close = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  const endSilently = (): void => {
    onSilence();
    resolve('completed');
  };
  return {
    ended: promise,
    end: resolve,
    notification({ method, params }) {
      if (method === 'turn/completed') return resolve(turnStatus(params));
      // Another item: the turn continues, for example after a remark of a person.
      if (method === 'item/started') close();
      if (method !== 'item/completed') return;
      close();
      const graceMs = graceAfter(at(params, 'item'));
      if (graceMs !== null) timer = setTimeout(endSilently, graceMs);
    },
    close,
  };
}
