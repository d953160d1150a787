/** What a failed call upstream means for the task. Adapters decide it by a table; steps and posts obey. */
import type { Reason } from '../task.ts';

export type Meaning =
  /** A later attempt can succeed. `waitMs`: how long the upstream asks to wait; null if it does not say. */
  | { readonly kind: 'transient'; readonly waitMs: number | null; readonly reason: Reason }
  /** What was asked for is gone, or hidden from us. */
  | { readonly kind: 'gone'; readonly reason: Reason }
  /** Refused until a person follows the reason's remedy. */
  | { readonly kind: 'refused'; readonly reason: Reason }
  /** Our mistake: the credential, or the request. */
  | { readonly kind: 'ours'; readonly reason: Reason };

/** Its reason is for people: it names the upstream, the cause and the remedy, and holds no credential. */
export class UpstreamError extends Error {
  override readonly name: string = 'UpstreamError';
  readonly meaning: Meaning;
  constructor(meaning: Meaning, message = meaning.reason.message, options?: ErrorOptions) {
    super(message, options);
    this.meaning = meaning;
  }
}

/** null: not an upstream's failure, so that nothing is known about it. */
export function meaningOf(error: unknown): Meaning | null {
  return error instanceof UpstreamError ? error.meaning : null;
}

/** Why no other attempt at the call can help; null if one can, or if nothing is known about the error. */
export function finalReason(error: unknown): Reason | null {
  const meaning = meaningOf(error);
  return meaning === null || meaning.kind === 'transient' ? null : meaning.reason;
}

export const isFinal = (error: unknown): boolean => finalReason(error) !== null;
