/** Watches a detached run from the alarm, a bounded slice at a time. `record.ts` acts on it. */
import type { AgentEnd } from '../../core/authorization.ts';
import type { Codex } from '../../core/ports/codex.ts';
import { SandboxLostError, type TaskSandbox } from '../../core/ports/sandbox-port.ts';
import type { Notable, Progress } from '../../core/progress.ts';
import type { RemarkReport } from '../../core/remark.ts';
import { taskLimits } from '../limits.ts';
import { setupRun } from '../run-names.ts';
import { observeOnce } from './observer.ts';
import { watchedRun, type RecordState } from './record-state.ts';
import { spentBudget } from './task-grant.ts';
import { watchdog } from './watchdog.ts';

/** What a watch needs of the record. */
export interface WatchingRecord {
  readonly sandbox: Pick<TaskSandbox, 'readRun'>;
  readonly codex: Codex;
  readonly now: () => number;
  state(): RecordState;
  progress(): Progress | null;
  /** Stores the lines that a read brought for the log and how far it read, both or neither. */
  persist(lines: readonly (Notable | RemarkReport)[], progress: Progress, offset: number): void;
  /** Passes on the remarks that the run does not have yet. Never rejects. */
  passRemarks(): Promise<void>;
  /** After each look; `news` if the run said something. */
  looked(news: boolean): Promise<void>;
}

/** Whether setup's run has ended, or its sandbox is lost. False when the slice is over. */
export async function watchSetup(record: WatchingRecord): Promise<boolean> {
  const { sandbox, now } = record;
  const until = now() + taskLimits.observeSliceMs;
  const pace = atMostEvery(taskLimits.readEveryMs, now);
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
    await pace();
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
  const persist = (lines: readonly (Notable | RemarkReport)[]) => {
    if (unsaved || lines.length > 0) record.persist(lines, progress, offset);
    persistedAt = now();
    unsaved = false;
  };
  const pace = atMostEvery(taskLimits.readEveryMs, now);
  while (now() < until && mayGoOn(record, 'codex')) {
    const before = offset;
    await record.passRemarks();
    const seen = await observeOnce(sandbox, codex, { offset, progress }, taskLimits.readWaitMs, now);
    unsaved ||= seen.state.offset !== offset;
    ({ offset, progress } = seen.state);
    const budget = spentBudget(record.state());
    const end: AgentEnd | null = seen.end ?? (budget === null ? null : { kind: 'budget', budget });
    const news = seen.notable.length > 0;
    if (news || end !== null || now() - persistedAt >= taskLimits.persistEveryMs) persist(seen.notable);
    if (end !== null) return end;
    await record.looked(news);
    // After a large read more is there. All reads together are bounded.
    if (offset - before < taskLimits.readBytes / 2) await pace();
  }
  persist([]);
  return null;
}

/** Returns a wait that ends no sooner than `ms` after it ended before. */
function atMostEvery(ms: number, now: () => number): () => Promise<void> {
  let last = now();
  return async () => {
    const left = last + ms - now();
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    last = now();
  };
}

function mayGoOn(record: WatchingRecord, run: 'setup' | 'codex'): boolean {
  const state = record.state();
  return watchedRun(state) === run && watchdog(state, record.now()) === 'nothing';
}
