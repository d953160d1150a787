/**
 * The one Durable Object that keeps a row for each task, for budgets, lists and reports. A record reports its
 * whole row again with every change, so that a repeated report counts once. A row outlives its record.
 */
import { DurableObject } from 'cloudflare:workers';
import { monthOf, type MonthSpent, type Spent } from '../../core/budget.ts';
import type { LedgerEntry, LedgerQuery, LedgerRow, PullEnd } from '../../core/ledger.ts';
import type { RepositoryPlace } from '../../core/task.ts';
import { fromStoredJson, toStoredJson, type StoredJson } from '../stored-json.ts';

const dayMs = 24 * 60 * 60_000;
/** A year to look back on, and the month that it began in. */
const keptMs = 400 * dayMs;

interface SumRow extends Record<string, number> {
  readonly tokens: number;
  readonly dollars: number;
}

export abstract class TaskLedgerBase<Env> extends DurableObject<Env> {
  readonly #sql = this.ctx.storage.sql;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS task (
        task_id TEXT PRIMARY KEY, reported_at INTEGER NOT NULL, accepted_at INTEGER NOT NULL,
        month TEXT NOT NULL, state TEXT NOT NULL, repository TEXT, repository_id INTEGER, person TEXT,
        requester TEXT, place TEXT NOT NULL, pull INTEGER, tokens INTEGER NOT NULL, dollars REAL NOT NULL,
        words TEXT NOT NULL, entry TEXT NOT NULL
      );
      CREATE TABLE IF NOT EXISTS pull (
        repository_id INTEGER NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (repository_id, number)
      );
      CREATE INDEX IF NOT EXISTS task_by_time ON task (accepted_at, task_id);
      CREATE INDEX IF NOT EXISTS task_by_month ON task (month);
      CREATE INDEX IF NOT EXISTS task_by_pull ON task (repository_id, pull);
    `);
  }

  /** `at`: when the record said so. A report that arrives late replaces no later one. */
  async report(entry: LedgerEntry, at: number): Promise<void> {
    const { repository, requester } = entry;
    this.#sql.exec(
      `INSERT INTO task (task_id, reported_at, accepted_at, month, state, repository, repository_id, person,
         requester, place, pull, tokens, dollars, words, entry)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (task_id) DO UPDATE SET
         reported_at = excluded.reported_at, state = excluded.state, repository = excluded.repository,
         repository_id = excluded.repository_id, person = excluded.person, requester = excluded.requester,
         pull = excluded.pull, tokens = excluded.tokens, dollars = excluded.dollars, words = excluded.words,
         entry = excluded.entry
       WHERE excluded.reported_at >= reported_at`,
      entry.taskId,
      at,
      entry.acceptedAt,
      monthOf(entry.acceptedAt),
      entry.state,
      repository?.toLowerCase() ?? null,
      entry.repositoryId,
      entry.person,
      requester?.toLowerCase() ?? null,
      entry.place,
      entry.pull,
      entry.tokens,
      entry.dollars ?? 0,
      wordsOf(entry),
      toStoredJson(entry),
    );
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + dayMs);
  }

  /** Ignores pull requests that no task can be about. An event that arrives late changes nothing. */
  pullEnded({ repositoryId, number, state, at }: PullEnd): void {
    this.#sql.exec(
      `INSERT INTO pull (repository_id, number, state, at) SELECT ?1, ?2, ?3, ?4
       WHERE EXISTS (SELECT 1 FROM task WHERE repository_id = ?1 AND (pull = ?2 OR state <> 'ended'))
       ON CONFLICT (repository_id, number) DO UPDATE SET state = excluded.state, at = excluded.at
       WHERE excluded.at >= at`,
      repositoryId,
      number,
      state,
      at,
    );
  }

  /** What the tasks of a month have spent, without the one that asks. */
  spent(
    month: string,
    of: { readonly taskId: string; readonly repositoryId: number; readonly person: string | null },
  ): MonthSpent {
    const sum = (where: string, ...values: readonly (string | number)[]): Spent => {
      const [row] = this.#sql
        .exec<SumRow>(
          `SELECT COALESCE(SUM(tokens), 0) AS tokens, COALESCE(SUM(dollars), 0) AS dollars
           FROM task WHERE month = ? AND task_id <> ? ${where}`,
          month,
          of.taskId,
          ...values,
        )
        .toArray();
      return { tokens: row?.tokens ?? 0, dollars: row?.dollars ?? 0 };
    };
    const { repositoryId, person } = of;
    const isPerson = 'AND person = ?';
    const inRepository = 'AND repository_id = ?';
    return {
      everything: sum(''),
      repository: sum(inRepository, repositoryId),
      person: person === null ? null : sum(isPerson, person),
      personInRepository: person === null ? null : sum(`${isPerson} ${inRepository}`, person, repositoryId),
    };
  }

  /** With the installation of the newest task of each, the newest first. */
  repositories(limit: number): RepositoryPlace[] {
    return this.#sql
      .exec<{ id: number; entry: StoredJson<LedgerEntry> }>(
        `SELECT repository_id AS id, entry, MAX(accepted_at) AS newest FROM task
         WHERE repository_id IS NOT NULL GROUP BY repository_id ORDER BY newest DESC LIMIT ?`,
        limit,
      )
      .toArray()
      .flatMap(({ id, entry }) => {
        const { installationId } = fromStoredJson(entry);
        return installationId === null ? [] : { repositoryId: id, installationId };
      });
  }

  /** Newest first. */
  list(query: LedgerQuery): LedgerRow[] {
    const { state, repository, person, place, from, until, after, limit } = query;
    return this.#sql
      .exec<{ entry: StoredJson<LedgerEntry>; pull_state: string | null; at: number | null }>(
        `SELECT entry, pull.state AS pull_state, pull.at FROM task
         LEFT JOIN pull ON pull.repository_id = task.repository_id AND pull.number = task.pull
         WHERE (?1 IS NULL OR task.state = ?1) AND (?2 IS NULL OR repository = ?2)
           AND (?3 IS NULL OR requester = lower(?3) OR person = ?3) AND (?4 IS NULL OR place = ?4)
           AND (?5 IS NULL OR accepted_at >= ?5) AND (?6 IS NULL OR accepted_at < ?6)
           AND (?7 IS NULL OR (accepted_at, task_id) < (?7, ?8))
           AND (?9 IS NULL OR task.repository_id IN (SELECT value FROM json_each(?9)))
           AND NOT EXISTS (SELECT 1 FROM json_each(?10) WHERE instr(words, value) = 0)
         ORDER BY accepted_at DESC, task_id DESC LIMIT ?11`,
        state ?? null,
        repository?.toLowerCase() ?? null,
        person ?? null,
        place ?? null,
        from ?? null,
        until ?? null,
        after?.acceptedAt ?? null,
        after?.taskId ?? null,
        query.repositoryIds === undefined ? null : JSON.stringify(query.repositoryIds),
        JSON.stringify(termsOf(query.search ?? '')),
        limit,
      )
      .toArray()
      .map(({ entry, pull_state: pull, at }) => ({
        ...fromStoredJson(entry),
        closedAt: pull === null || pull === 'open' ? null : at,
        merged: pull === 'merged',
      }));
  }

  /** Forgets what is older than a report looks back. */
  override async alarm(): Promise<void> {
    const before = Date.now() - keptMs;
    this.#sql.exec('DELETE FROM task WHERE accepted_at < ?', before);
    this.#sql.exec(
      `DELETE FROM pull WHERE at < ? AND NOT EXISTS
         (SELECT 1 FROM task WHERE task.repository_id = pull.repository_id AND task.pull = pull.number)`,
      before,
    );
    await this.ctx.storage.setAlarm(Date.now() + dayMs);
  }
}

/** What a search looks in. A number ends with a space, so that `#1` is not found in `#12`. */
function wordsOf({ title, issue, pull, repository, requester, shortId, taskId }: LedgerEntry): string {
  const numbers = [issue, pull].flatMap((number) => (number === null ? [] : `#${number}`));
  return `${[title, ...numbers, repository, requester, shortId, taskId].join(' ')} `.toLowerCase();
}

const maxTerms = 10;

function termsOf(search: string): string[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return words.slice(0, maxTerms).map((word) => (/^#\d+$/.test(word) ? `${word} ` : word));
}
