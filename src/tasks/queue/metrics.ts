/**
 * The one Durable Object that keeps what `GET /metrics` shows, so that the numbers are the same from every
 * isolate and survive restarts. A source, a task or an isolate, reports everything that it has counted so
 * far. Only what is new of it is added, so a report can be repeated and can arrive late.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Totals } from '../../core/metrics.ts';
import { fromStoredJson, toStoredJson, type StoredJson } from '../stored-json.ts';

const dayMs = 24 * 60 * 60_000;
/** A task's last report comes within an hour of its end, or of the end of a later publication attempt. */
const marginMs = 7 * dayMs;

export abstract class MetricsBase<Env> extends DurableObject<Env> {
  /** How long an ended task is kept. */
  protected abstract retentionMs(): number;
  readonly #sql = this.ctx.storage.sql;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS counted (series TEXT PRIMARY KEY, value REAL NOT NULL);
      CREATE TABLE IF NOT EXISTS source (id TEXT PRIMARY KEY, totals TEXT NOT NULL, at INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS source_by_time ON source (at);
    `);
  }

  async report(source: string, totals: Totals): Promise<void> {
    const [row] = this.#sql
      .exec<{ totals: StoredJson<Totals> }>('SELECT totals FROM source WHERE id = ?', source)
      .toArray();
    const before = row === undefined ? {} : fromStoredJson(row.totals);
    const news = Object.entries(totals).filter(([series, total]) => total > (before[series] ?? 0));
    if (news.length === 0) return;
    this.ctx.storage.transactionSync(() => {
      for (const [series, total] of news)
        this.#sql.exec(
          `INSERT INTO counted (series, value) VALUES (?1, ?2)
           ON CONFLICT (series) DO UPDATE SET value = value + ?2`,
          series,
          total - (before[series] ?? 0),
        );
      this.#sql.exec(
        'INSERT OR REPLACE INTO source (id, totals, at) VALUES (?, ?, ?)',
        source,
        toStoredJson({ ...before, ...Object.fromEntries(news) }),
        Date.now(),
      );
    });
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + dayMs);
  }

  counted(): Totals {
    const rows = this.#sql.exec<{ series: string; value: number }>('SELECT series, value FROM counted');
    return Object.fromEntries(rows.toArray().map(({ series, value }) => [series, value]));
  }

  /** Forgets sources that report no more. What they counted stays. */
  override async alarm(): Promise<void> {
    this.#sql.exec('DELETE FROM source WHERE at < ?', Date.now() - this.retentionMs() - marginMs);
    await this.ctx.storage.setAlarm(Date.now() + dayMs);
  }
}
