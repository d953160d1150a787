/** The vocabulary of chaos: what a case does to a task, and what has to be true afterwards in any case. */
import type { CreatedRepository } from '../simulators/github/contract.ts';
import type { TaskOutcome } from '../src/core/task.ts';
import type { Lane, Owner } from './lane.ts';

export const groupNames = ['kills', 'calls', 'cancels', 'state', 'storm'] as const;
export type GroupName = (typeof groupNames)[number];

export interface ChaosCase {
  /** Stable: `--only` repeats it. */
  readonly id: string;
  readonly group: GroupName;
  /** Where in the task's life, such as `middle of clone-1`. */
  readonly phase: string;
  /** What happens there, such as `workerd is killed`. */
  readonly injected: string;
  /** It harms the whole bot, so no other task may be in it. Other cases of a bot run at once. */
  readonly alone: boolean;
  /** Whose repository it gets. `shared`: that of the lane, which Slack asks about; only for `alone`. */
  readonly owner: Owner | 'shared';
  /** Asks for a task and does the harm. Resolves when the harm is done; the invariants are checked next. */
  run(place: Place): Promise<Harm>;
}

export interface Place {
  readonly lane: Lane;
  /** A repository of the case's own, in which `maria` may write. */
  readonly repository: CreatedRepository;
  /** What the repository had before the case. */
  readonly before: { readonly pulls: readonly number[]; readonly branches: readonly string[] };
  /** Aborted when the case takes too long, or the run is interrupted. */
  readonly signal: AbortSignal;
}

/** Where the task was asked, and so where its answer has to be. */
export type Asker =
  | { readonly kind: 'issue'; readonly issue: number }
  | { readonly kind: 'slack'; readonly channel: string; readonly threadTs: string };

export interface Harm {
  readonly taskId: string;
  readonly asker: Asker;
  /** Its Workflow instance; default: that of the whole task. */
  readonly instanceId?: string;
  /** The pull request of a person's that it works on; default: it opens its own. */
  readonly continues?: { readonly number: number; readonly headSha: string; readonly branch: string };
  /** When the harm was done, ms since the epoch. Recovery is measured from here. */
  readonly at: number;
  /** Steps that had begun and were not done, as the engine's database said afterwards. */
  readonly met?: readonly string[];
  /** The kinds of outcome that are right. */
  readonly ends: readonly TaskOutcome['kind'][];
  /** The record was lost, and with it the tokens of the first run: GitHub ends them within an hour. */
  readonly losesTokens?: boolean;
  /** When the task was cancelled; then the time until its sandbox is gone is measured. */
  readonly cancelledAt?: number;
}

export interface CaseResult {
  readonly id: string;
  readonly group: GroupName;
  readonly phase: string;
  readonly injected: string;
  /** Steps that the harm met, as the engine's database said afterwards; empty between two steps. */
  readonly met: readonly string[];
  /** Terminal answers where it was asked. */
  readonly answers: number;
  readonly pullRequests: number;
  readonly sandboxesLeft: number;
  readonly tokensLeft: number;
  /** From the harm until everything that has to be true is. */
  readonly recoveryMs: number;
  /** From the cancellation until nothing of the sandbox is left; null if nothing was cancelled. */
  readonly cancelMs: number | null;
  readonly outcome: string;
  readonly ok: boolean;
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[];
}
