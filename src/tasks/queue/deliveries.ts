/**
 * Reads GitHub's log of deliveries, and hands what did not arrive to the same intake as webhooks: what was
 * sent while Airlock was down, and everything where no webhook can reach it. GitHub itself never sends a
 * webhook again. The intake starts a task once, however often it gets an event.
 *
 * The sweep wakes the object. Its alarm looks again every minute, and every few seconds where no webhook
 * arrives.
 */
import { DurableObject } from 'cloudflare:workers';
import * as z from 'zod';
import type { Delivery, DeliveryAttempt, DeliveryLog } from '../../core/ports/delivery-log.ts';
import { meaningOf } from '../../core/ports/upstream-error.ts';
import { parseJson } from '../../lib/parse-json.ts';
import {
  deepMs,
  fetchedAtOnce,
  firstLookMs,
  isTaken,
  missedIn,
  overlapMs,
  pollMs,
  refilled,
  rememberMs,
  retryMs,
  catchUpMs,
  untilAffordable,
} from './missed-deliveries.ts';

export interface DeliveriesDeps {
  readonly github: DeliveryLog;
  /** Whether an event can ask for something. */
  readonly mayStart: (event: string) => boolean;
  /** Whether webhooks reach this Airlock. */
  readonly webhooksArrive: () => Promise<boolean>;
  /** Gives an event to the intake as a signed webhook. Returns the status of its answer. */
  readonly hand: (delivery: Delivery, guid: string) => Promise<number>;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

const stateSchema = z.object({
  /** Milliseconds since the epoch: what was delivered before is handled. */
  since: z.number(),
  /** What was delivered before the first look is none of ours. */
  began: z.number().default(0),
  /** ETag of the newest page; null unless every event on it was handled. */
  etag: z.string().nullable(),
  /** Whether webhooks arrive; null: not known. */
  arrives: z.boolean().nullable(),
  budget: z.object({ left: z.number(), at: z.number() }).nullable(),
  perHour: z.number().nullable(),
  /** Events that the last look could not pay for. */
  open: z.number(),
  /** Events that could not be handed over, by GUID: how often, and when to try again. */
  failed: z.record(z.string(), z.object({ times: z.number(), due: z.number() })).default({}),
  /** Consecutive looks that failed. */
  failures: z.number(),
});
type State = z.infer<typeof stateSchema>;

export abstract class DeliveriesBase<Env> extends DurableObject<Env> {
  protected abstract deps(): DeliveriesDeps;
  readonly #sql = this.ctx.storage.sql;
  #isWoken = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS handled (guid TEXT PRIMARY KEY, at INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS reading (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL);
    `);
  }

  /** Looks at once, further back than usual, and finds out again whether webhooks arrive. */
  async wake(): Promise<void> {
    this.#isWoken = true;
    await this.ctx.storage.setAlarm(this.deps().now());
  }

  override async alarm(): Promise<void> {
    const { now, log } = this.deps();
    let state = this.#state();
    let waitMs: number;
    const isDeep = this.#isWoken;
    try {
      const arrives = await this.#webhooksArrive(state);
      state = await this.#look({ ...state, arrives }, arrives, isDeep);
      this.#isWoken &&= !isDeep;
      waitMs = arrives ? catchUpMs : pollMs;
    } catch (error) {
      const failures = state.failures + 1;
      state = { ...state, failures };
      const meaning = meaningOf(error);
      const asked = meaning?.kind === 'transient' ? (meaning.waitMs ?? 0) : 0;
      waitMs = Math.max(asked, Math.min(pollMs * 2 ** failures, catchUpMs));
      log('deliveries.not_read', { error: String(error), waitMs });
    }
    this.#keep(state);
    this.#sql.exec('DELETE FROM handled WHERE at < ?', now() - rememberMs);
    const budget = refilled(state.budget, state.perHour, now());
    const affordable = untilAffordable(budget, state.perHour, state.open);
    await this.ctx.storage.setAlarm(now() + Math.max(waitMs, affordable));
  }

  async #webhooksArrive({ arrives: before }: State): Promise<boolean> {
    const { webhooksArrive, log } = this.deps();
    if (before !== null && !this.#isWoken) return before;
    const arrives = await webhooksArrive();
    if (arrives !== before) log('deliveries.mode', { way: arrives ? 'webhooks' : 'poll' });
    return arrives;
  }

  async #look(before: State, webhooksArrive: boolean, isDeep: boolean): Promise<State> {
    const { now, mayStart } = this.deps();
    const isDue = Object.values(before.failed).some(({ due }) => due <= now());
    const since = isDeep ? Math.max(before.began, before.since - deepMs) : before.since;
    const read = await this.#readLog({ since, etag: isDue || isDeep ? null : before.etag });
    if (read === null) return { ...before, failures: 0 };
    const { attempts, newest, etag, perHour, pages } = read;
    const budget = refilled(before.budget, perHour, now());
    let left = budget.left - pages;
    const missed = missedIn(attempts, {
      answersCount: webhooksArrive,
      mayStart,
      isHandled: (guid) => this.#isHandled(guid),
    });
    const [due, waiting, unpaid]: [DeliveryAttempt[], DeliveryAttempt[], DeliveryAttempt[]] = [[], [], []];
    const failed: State['failed'] = {};
    for (const attempt of missed) {
      const earlier = before.failed[attempt.guid];
      if (earlier !== undefined) failed[attempt.guid] = earlier;
      if (earlier !== undefined && earlier.due > now()) waiting.push(attempt);
      else if (left < 1) unpaid.push(attempt);
      else {
        left -= 1;
        due.push(attempt);
      }
    }
    await this.#handAll(due, (attempt, isOver) => {
      const { guid } = attempt;
      if (isOver) {
        this.#remember(guid);
        delete failed[guid];
      } else {
        const times = (before.failed[guid]?.times ?? 0) + 1;
        failed[guid] = { times, due: now() + retryMs(times) };
        waiting.push(attempt);
      }
    });
    const handled = Math.min(newest, ...[...unpaid, ...waiting].map(({ at }) => at)) - overlapMs;
    return {
      ...before,
      since: Math.max(before.since, handled),
      etag: unpaid.length === 0 ? etag : null,
      budget: { ...budget, left },
      perHour,
      open: unpaid.length,
      failed,
      failures: 0,
    };
  }

  /** GitHub is asked for a few at once. The intake gets one after the other, so that their order stays. */
  async #handAll(
    attempts: readonly DeliveryAttempt[],
    settle: (attempt: DeliveryAttempt, isOver: boolean) => void,
  ): Promise<void> {
    const { github, hand, log } = this.deps();
    for (let index = 0; index < attempts.length; index += fetchedAtOnce) {
      const group = attempts.slice(index, index + fetchedAtOnce);
      const fetching = group.map(async ({ id }) => await github.delivery(id));
      // Each failure is met below, when it is its turn.
      for (const fetched of fetching) fetched.catch(() => undefined);
      for (const [place, attempt] of group.entries()) {
        const { guid, event, at } = attempt;
        try {
          const delivery = (await fetching[place]) ?? null;
          const answer = delivery === null ? null : await hand(delivery, guid);
          log('delivery.read', { guid, webhook: event, sentAt: new Date(at).toISOString(), answer });
          settle(attempt, answer === null || isTaken(answer));
        } catch (error) {
          log('delivery.failed', { guid, error: String(error) });
          settle(attempt, false);
        }
      }
    }
  }

  /** Reads the log back to what was handled. null: nothing has changed since the last look. */
  async #readLog({ since, etag }: Pick<State, 'since' | 'etag'>) {
    const { github, mayStart } = this.deps();
    const attempts: DeliveryAttempt[] = [];
    const first = await github.page({ cursor: null, etag });
    if (first === 'unchanged') return null;
    let pages = 1;
    for (let page = first; ; pages += 1) {
      attempts.push(...page.attempts.filter(({ at, event }) => at > since && mayStart(event)));
      if (page.next === null || page.attempts.some(({ at }) => at <= since)) break;
      const older = await github.page({ cursor: page.next, etag: null });
      if (older === 'unchanged') break;
      page = older;
    }
    const newest = Math.max(since, ...first.attempts.map(({ at }) => at));
    return { attempts, newest, etag: first.etag, perHour: first.perHour, pages };
  }

  #state(): State {
    const [row] = this.#sql.exec<{ state: string }>('SELECT state FROM reading').toArray();
    const kept = stateSchema.safeParse(row === undefined ? undefined : parseJson(row.state));
    if (kept.success) return kept.data;
    const since = this.deps().now() - firstLookMs;
    return {
      since,
      began: since,
      etag: null,
      arrives: null,
      budget: null,
      perHour: null,
      open: 0,
      failed: {},
      failures: 0,
    };
  }

  #keep(state: State): void {
    this.#sql.exec('INSERT OR REPLACE INTO reading (one, state) VALUES (1, ?)', JSON.stringify(state));
  }

  #isHandled(guid: string): boolean {
    return this.#sql.exec('SELECT 1 FROM handled WHERE guid = ?', guid).toArray().length > 0;
  }

  #remember(guid: string): void {
    this.#sql.exec('INSERT OR REPLACE INTO handled (guid, at) VALUES (?, ?)', guid, this.deps().now());
  }
}
