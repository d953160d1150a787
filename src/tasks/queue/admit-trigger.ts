/**
 * Decides whether a trigger from GitHub becomes a task now, later or never. Anybody can mention the bot, so
 * the first trigger of an unknown person starts a task, whose authorization the others wait for.
 * `task-inbox.ts` acts.
 */

/** What the inbox of a repository knows about the person behind a trigger. */
export interface Asker {
  /** What their last authorization found, and when (ms since the epoch); null: nothing yet. */
  readonly known: { readonly mayAsk: boolean; readonly at: number } | null;
  /** A task of theirs is being authorized. */
  readonly isChecked: boolean;
  /** They were refused in this conversation before. */
  readonly toldHere: boolean;
  /** Tasks started within the rate's window: theirs, and of all people without known access. */
  readonly started: number;
  readonly startedByStrangers: number;
}

export const askerLimits = {
  /** After this time access counts as unknown again. Each task checks it anyway. */
  trustMs: 24 * 60 * 60_000,
  /** After a refusal, further triggers in the same conversation are dropped for this time. */
  quietMs: 5 * 60_000,
  /** Window of the rates, and tasks that people without known access can start in it. */
  rateMs: 60 * 60_000,
  perPerson: 5,
  perRepository: 30,
} as const;

export function admitTrigger(asker: Asker, now: number): 'start' | 'wait' | 'drop' {
  const { known, isChecked, toldHere, started, startedByStrangers } = asker;
  if (known?.mayAsk === true && now - known.at < askerLimits.trustMs) return 'start';
  if (isChecked) return 'wait';
  // Somebody who was given access since then is heard after the quiet time.
  if (known?.mayAsk === false && toldHere && now - known.at < askerLimits.quietMs) return 'drop';
  if (started >= askerLimits.perPerson || startedByStrangers >= askerLimits.perRepository) return 'drop';
  return 'start';
}
