/**
 * Counts the requests that one sandbox has open at a time. What a request costs is known at its end, so this
 * bounds by how much a budget can be overdrawn. Held in the memory of this isolate: a bound below the budget,
 * not the budget itself.
 */
import { egressLimits } from './limits.ts';

export type OpenKind = 'model' | 'transfer';

const max: Readonly<Record<OpenKind, number>> = {
  model: egressLimits.openModelRequests,
  transfer: egressLimits.openTransfers,
};
const counts = new Map<string, number>();

/**
 * Counts one more; returns what counts it off, which may be called twice. null when `max` of this kind are
 * open.
 */
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
