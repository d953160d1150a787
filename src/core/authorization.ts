/** What is established about a task: its authorization, how its run ended, what a person approved. */
import type { SetupPolicy } from './policy.ts';
import type { BudgetName, GrantedRepository } from './grant.ts';
import type { PullRequestRef, RepositoryFacts, TaskRequest } from './task.ts';

/** What `authorize` established; the grant is made from it. */
export interface Authorization {
  readonly facts: RepositoryFacts;
  readonly baseBranch: string;
  readonly baseSha: string;
  readonly model: string;
  readonly effort: string;
  readonly models: readonly string[];
  readonly limits: { readonly minutes: number; readonly tokens: number };
  readonly draft: boolean;
  readonly setup: SetupPolicy | null;
  readonly alsoRead: readonly GrantedRepository[];
  readonly lfs: boolean;
  readonly extraHosts: readonly string[];
  /**
   * The base is the branch that the configuration names, or the default one: reviewed code. Only what a setup of it installs is kept
   * for other tasks; whoever may push to some branch could plant something for all of them otherwise.
   */
  readonly isConfiguredBase: boolean;
  /** The pull request that is worked on; `baseBranch` is then its branch. null: a new one. */
  readonly continues: PullRequestRef | null;
  /** Who asked, on GitHub: the co-author. null when that is not known. */
  readonly requester: TaskRequest['requester'];
}

/** How a Codex run came to its end, as the observer saw it from outside. */
export type AgentEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'deadline' }
  /** `budget` was used up. Missing in what an earlier version stored, where it was always `tokens`. */
  | { readonly kind: 'budget'; readonly budget?: BudgetName }
  | { readonly kind: 'cancelled'; readonly by: string }
  | { readonly kind: 'lost'; readonly why: string };

/** A person's word that a held change may be published: for this change and no other. */
export interface Approval {
  readonly by: string;
  /** Hex SHA-256 of the change as it is kept. */
  readonly changeHash: string;
}
