/** Codex as the tasks see it: what to start, and how to read what it prints. */
import type { SandboxCommand } from './sandbox-port.ts';
import type { Answer, Notable, Progress } from '../progress.ts';

export interface CodexJob {
  readonly prompt: string;
  readonly model: string;
  readonly effort: string;
}

export interface Codex {
  /** What to write into the sandbox and what to start there. */
  invocation(job: CodexJob): { files: readonly { path: string; content: string }[]; command: SandboxCommand };
  readonly initialProgress: Progress;
  /** Folds one line of the run's output into the progress. Never throws: a bad line counts as unknown. */
  fold(progress: Progress, line: string, now: number): { progress: Progress; notable: readonly Notable[] };
  /** Validates the final message against the answer schema. Never throws. */
  answer(progress: Progress): Answer;
}
