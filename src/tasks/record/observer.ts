/** Reads the run's output once, from an offset, into the progress. `run-watch.ts` repeats it. */
import type { AgentEnd } from '../../core/authorization.ts';
import type { Codex } from '../../core/ports/codex.ts';
import { SandboxLostError, type TaskSandbox } from '../../core/ports/sandbox-port.ts';
import type { Notable, Progress } from '../../core/progress.ts';
import type { RemarkReport } from '../../core/remark.ts';
import { taskLimits } from '../limits.ts';
import { codexRun } from '../run-names.ts';

export interface ObserverState {
  /** Bytes folded so far; always the start of a line. */
  readonly offset: number;
  readonly progress: Progress;
}

export interface Observation {
  readonly state: ObserverState;
  readonly notable: readonly (Notable | RemarkReport)[];
  /** Set when the run has ended. */
  readonly end: AgentEnd | null;
}

/** Waits at most `waitMs` for output. Rejects on transient errors. */
export async function observeOnce(
  sandbox: Pick<TaskSandbox, 'readRun'>,
  codex: Codex,
  state: ObserverState,
  waitMs: number,
  now: () => number,
): Promise<Observation> {
  const range = { offset: state.offset, maxBytes: taskLimits.readBytes, waitMs };
  let chunk;
  try {
    chunk = await sandbox.readRun(codexRun, range);
  } catch (error) {
    if (error instanceof SandboxLostError)
      return { state, notable: [], end: { kind: 'lost', why: error.message } };
    throw error;
  }
  const ended = chunk.exitCode !== null && state.offset + chunk.bytes.byteLength >= chunk.size;
  const { lines, consumed } = completeLines(chunk.bytes, {
    atEnd: ended,
    full: chunk.bytes.byteLength >= taskLimits.readBytes,
  });
  let progress = state.progress;
  const notable: (Notable | RemarkReport)[] = [];
  for (const line of lines) {
    const folded = codex.fold(progress, line, now());
    progress = folded.progress;
    notable.push(...folded.notable);
  }
  const next = { offset: state.offset + consumed, progress };
  if (ended && chunk.exitCode !== null)
    return { state: next, notable, end: { kind: 'exited', exitCode: chunk.exitCode } };
  if (next.offset > taskLimits.runOutputBytes)
    return {
      state: next,
      notable,
      end: { kind: 'lost', why: 'the run wrote more than may be read' },
    };
  return { state: next, notable, end: null };
}

/** By bytes, so that no offset is inside a character. A last piece without a line end waits for more. */
export function completeLines(
  bytes: Uint8Array,
  { atEnd, full }: { atEnd: boolean; full: boolean },
): { lines: string[]; consumed: number } {
  const newline = 10;
  // A full read stops at its last line end; only a single endless line is cut.
  const afterLastLine = bytes.lastIndexOf(newline) + 1;
  const consumed = atEnd || (full && afterLastLine === 0) ? bytes.byteLength : afterLastLine;
  const text = new TextDecoder().decode(bytes.subarray(0, consumed));
  return { lines: text.split('\n').filter((line) => line !== ''), consumed };
}
