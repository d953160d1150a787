/** Counts one sandbox's open requests in this isolate's memory: a bound below the budget. */
import { egressLimits } from './limits.ts';

export type OpenKind = 'model' | 'transfer';

const max: Readonly<Record<OpenKind, number>> = {
  model: egressLimits.openModelRequests,
  transfer: egressLimits.openTransfers,
};
const counts = new Map<string, number>();

/** Counts one more; returns what counts it off, idempotent. null when `max` of this kind are open. */
export function openRequest(containerId: string, kind: OpenKind): (() => void) | null {
  const key = `${kind} ${containerId}`;
  const open = counts.get(key) ?? 0;
  if (open >= max[kind]) return null;
  counts.set(key, open + 1);
  let isOpen = true;
  return () => {
    if (!isOpen) return;
    isOpen = false;
    const left = (counts.get(key) ?? 1) - 1;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  };
}
