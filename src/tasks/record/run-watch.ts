/**
 * Watches a detached run from the record's alarm, one bounded slice at a time, until it ends. Codex's output
 * is folded into the progress and persisted on the way; of setup only the end counts. Decides how a run
 * ended; `record.ts` acts on it.
 */
import type { AgentEnd } from '../../core/authorization.ts';
import type { Codex } from '../../core/ports/codex.ts';
import { SandboxLostError, type TaskSandbox } from '../../core/ports/sandbox-port.ts';
import type { Notable, Progress } from '../../core/progress.ts';
import { taskLimits } from '../limits.ts';
import { setupRun } from '../run-names.ts';
import { observeOnce } from './observer.ts';
import { watchedRun, type RecordState } from './record-state.ts';
import { spentBudget } from './task-grant.ts';
import { watchdog } from './watchdog.ts';

/** What a watch needs of the record. */
export interface WatchingRecord {
  readonly sandbox: TaskSandbox;
  readonly codex: Codex;
  readonly now: () => number;
  state(): RecordState;
  progress(): Progress | null;
  persist(progress: Progress, offset: number): void;
  append(line: Notable): void;
  /** After each look; `news` if the run said something. */
  looked(news: boolean): Promise<void>;
}

/** Whether setup's run has ended, or its sandbox is lost. False when the slice is over. */
export async function watchSetup(record: WatchingRecord): Promise<boolean> {
  const { sandbox, now } = record;
  const until = now() + taskLimits.observeSliceMs;
  while (now() < until && mayGoOn(record, 'setup')) {
    // Beyond all output there can be: only the end counts, whatever setup prints.
    const range = { offset: taskLimits.runOutputBytes, maxBytes: 0, waitMs: taskLimits.readWaitMs };
    try {
      if ((await sandbox.readRun(setupRun, range)).exitCode !== null) return true;
    } catch (error) {
      if (error instanceof SandboxLostError) return true;
      throw error;
    }
    await record.looked(false);
  }
  return false;
}

/** How Codex's run ended; null when the slice is over. */
export async function watchCodex(record: WatchingRecord): Promise<AgentEnd | null> {
  const { sandbox, codex, now } = record;
  const until = now() + taskLimits.observeSliceMs;
  let progress = record.progress() ?? codex.initialProgress;
  let { offset } = record.state();
  let persistedAt = 0;
  let unsaved = false;
  const persist = () => {
    if (unsaved) record.persist(progress, offset);
    persistedAt = now();
    unsaved = false;
  };
  while (now() < until && mayGoOn(record, 'codex')) {
    const seen = await observeOnce(sandbox, codex, { offset, progress }, taskLimits.readWaitMs, now);
    unsaved ||= seen.state.offset !== offset;
    ({ offset, progress } = seen.state);
    for (const line of seen.notable) record.append(line);
    const budget = spentBudget(record.state());
    const end: AgentEnd | null = seen.end ?? (budget === null ? null : { kind: 'budget', budget });
    const news = seen.notable.length > 0;
    // Together with the lines of the log, which a crash would repeat otherwise.
    if (news || end !== null || now() - persistedAt >= taskLimits.persistEveryMs) persist();
    if (end !== null) return end;
    await record.looked(news);
    if (seen.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, seen.pauseMs));
  }
  persist();
  return null;
}

function mayGoOn(record: WatchingRecord, run: 'setup' | 'codex'): boolean {
  const state = record.state();
  return watchedRun(state) === run && watchdog(state, record.now()) === 'nothing';
}
