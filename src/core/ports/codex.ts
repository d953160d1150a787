/** Codex, for tasks: how to start it, and how to read its output. */
import type { SandboxCommand } from './sandbox-port.ts';
import type { Answer, Notable, Progress } from '../progress.ts';
import type { Remark, RemarkReport } from '../remark.ts';

export interface CodexJob {
  readonly prompt: string;
  readonly model: string;
  readonly effort: string;
  /** Paths in the sandbox of the images that the turn begins with. */
  readonly images: readonly string[];
  /** The final message answers a question, instead of describing a change. */
  readonly isQuestion: boolean;
  /** The thread to resume. If Codex cannot read it, it starts a new one with the job's own `prompt`. */
  readonly resume?: {
    readonly threadId: string;
    readonly codexVersion: string;
    /** What `readRollout` returned. */
    readonly rollout: string;
    readonly prompt: string;
  };
}

/** A thread that another sandbox can resume, or none. */
export type KeptThread =
  | {
      readonly ok: true;
      /** The rollout file to write, without what only Codex may say. */
      readonly rollout: string;
      /** The version of Codex that wrote it. */
      readonly codexVersion: string;
    }
  | { readonly ok: false };

export interface Codex {
  /** The files to write into the sandbox, and the command to start. */
  invocation(job: CodexJob): { files: readonly { path: string; content: string }[]; command: SandboxCommand };
  /** Reads the rollout (untrusted) of an earlier run of this thread. Never throws. */
  readRollout(rollout: string, threadId: string): KeptThread;
  readonly initialProgress: Progress;
  /** Folds one line of output into the progress. Never throws: a malformed line counts as unknown. */
  fold(
    progress: Progress,
    line: string,
    now: number,
  ): { progress: Progress; notable: readonly (Notable | RemarkReport)[] };
  /** The file that passes these remarks on to the turn that runs. Further ones only come after them. */
  control(remarks: readonly Pick<Remark, 'id' | 'message'>[]): { path: string; content: string };
  /** Validates the final message against the answer schema. Never throws. */
  answer(progress: Progress): Answer;
  /** The answer to a question; '' if there is none. Never throws. */
  reply(progress: Progress): string;
}
