/** Decides what is read of GitHub's log of deliveries, and when it is read again. Pure. */
import type { DeliveryAttempt } from '../../core/ports/delivery-log.ts';

/** Interval of two looks where no webhook arrives, ms: what a mention waits on average is half of it. */
export const pollMs = 4000;
/** Interval of two looks where webhooks arrive, and at most after a failure, ms. */
export const catchUpMs = 60_000;
/** How far a look goes back beyond what was handled, ms: attempts are listed when they end, within 10 s. */
export const overlapMs = 30_000;
/** The same for the look that each wake asks for, ms: longer than the time between two sweeps. */
export const deepMs = 30 * 60_000;
/** Events that are fetched at the same time. */
export const fetchedAtOnce = 5;
/** How far the first look goes back, ms: a task that was asked for during the set-up still counts. */
export const firstLookMs = 10 * 60_000;
/** GitHub keeps deliveries for three days, ms. GUIDs are remembered for a day longer. */
export const rememberMs = 4 * 24 * 60 * 60_000;
/** Between two attempts at handing over one event, at most, ms. Some payload may fail for ever. */
const maxRetryMs = 10 * 60_000;
/** The share of GitHub's rate limit that reading may take. */
const share = 0.1;

/** The attempts to hand to the intake: one of each event that is not handled yet, oldest first. */
export function missedIn(
  newestFirst: readonly DeliveryAttempt[],
  asked: {
    /** Whether the receiver's answer counts. It does not where the webhooks go elsewhere. */
    readonly answersCount: boolean;
    readonly mayStart: (event: string) => boolean;
    readonly isHandled: (guid: string) => boolean;
  },
): readonly DeliveryAttempt[] {
  const settled = new Set(
    newestFirst
      .filter(({ status }) => asked.answersCount && status >= 200 && status < 300)
      .map(({ guid }) => guid),
  );
  const missed = new Map<string, DeliveryAttempt>();
  for (const attempt of newestFirst.toReversed()) {
    const { guid, event } = attempt;
    if (settled.has(guid) || !asked.mayStart(event) || asked.isHandled(guid)) continue;
    // The first attempt gives the place in the order, the last one is kept by GitHub for longest.
    missed.set(guid, attempt);
  }
  return [...missed.values()];
}

/** Milliseconds until an event that failed so often is handed over again. */
export const retryMs = (failures: number): number =>
  Math.min(pollMs * 2 ** Math.min(failures - 1, 20), maxRetryMs);

/** Whether the intake has decided. Otherwise it did not get the event, or could not keep it. */
export const isTaken = (status: number): boolean => status < 500 && status !== 408 && status !== 429;

/** Requests that may still be made, which refill evenly up to those of one hour. */
export interface Budget {
  readonly left: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Without a limit a number that is never reached, and that JSON can hold. */
const perHourOf = (limit: number | null): number => (limit === null ? 1e9 : Math.max(1, limit * share));

/** null: nothing was spent yet. */
export function refilled(budget: Budget | null, limit: number | null, now: number): Budget {
  const most = perHourOf(limit);
  if (budget === null) return { left: most, at: now };
  const hours = Math.max(0, now - budget.at) / 3_600_000;
  return { left: Math.min(most, budget.left + most * hours), at: now };
}

/** Open events that a look must be able to pay for: one that handles none only costs requests. */
const handledAtOnce = 10;

/** Milliseconds until a look can be paid for, and some of the `open` events, which no look handled yet. */
export function untilAffordable({ left }: Budget, limit: number | null, open: number): number {
  const wanted = 1 + Math.min(open, handledAtOnce);
  return left >= wanted ? 0 : Math.ceil(((wanted - left) / perHourOf(limit)) * 3_600_000);
}
