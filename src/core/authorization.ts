/** Facts established about a task: its authorization, how its run ended, what a person approved. */
import type { BudgetName, GrantedRepository } from './grant.ts';
import type { RepositoryPolicy } from './policy.ts';
import type { Effort, PullRequestRef, RepositoryFacts, TaskRequest } from './task.ts';

/** The result of `authorize`, fixed for the life of the task. The grant is made from it. */
export interface Authorization {
  readonly facts: RepositoryFacts;
  /** As it was when the task was authorized, whatever the configuration says later. */
  readonly policy: RepositoryPolicy;
  /** Narrowed by the request's options: where the task starts, and what Codex runs with. */
  readonly baseBranch: string;
  readonly baseSha: string;
  readonly model: string;
  readonly effort: Effort;
  /** `policy.alsoRead`, resolved to ids. */
  readonly alsoRead: readonly GrantedRepository[];
  /** The pull request that the task continues, on the branch `baseBranch`; null: it opens a new one. */
  readonly continues: PullRequestRef | null;
  /** The pull request that the task was asked in; null if it was asked elsewhere. */
  readonly pull: PullPlace | null;
  /** The commit whose guidance for agents counts; null: that of the checkout. */
  readonly guidanceSha: string | null;
  /** Why nothing is written to GitHub but comments, for people; null if the change may be written. */
  readonly readOnly: string | null;
  /** The requester's GitHub account, credited as co-author; null if it is unknown. */
  readonly requester: TaskRequest['requester'];
}

/** A pull request that a task was asked in, as it was when the task was authorized. Untrusted texts. */
export interface PullPlace {
  readonly number: number;
  readonly title: string;
  readonly url: string;
  readonly draft: boolean;
  /** Login, or `ghost` for a deleted account. */
  readonly author: string;
  readonly baseBranch: string;
  /** The head of the base branch. */
  readonly baseSha: string;
  readonly headRef: string;
  readonly headSha: string;
  /** The head is in another repository, or in a fork that was deleted. */
  readonly fork: boolean;
}

/** Whether the base is a reviewed branch. Only then may its setup be cached for other tasks. */
export function startsFromConfiguredBase({
  facts,
  policy,
  baseBranch,
  continues,
  pull,
}: Pick<Authorization, 'facts' | 'policy' | 'baseBranch' | 'continues' | 'pull'>): boolean {
  return continues === null && pull === null && baseBranch === (policy.baseBranch ?? facts.defaultBranch);
}

/** How a Codex run came to its end, as the observer saw it from outside. */
export type AgentEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'deadline' }
  /** `budget` was used up. */
  | { readonly kind: 'budget'; readonly budget: BudgetName }
  | { readonly kind: 'cancelled'; readonly by: string }
  | { readonly kind: 'lost'; readonly why: string };

/** A person's word that a held change may be published: for this change and no other. */
export interface Approval {
  readonly by: string;
  /** Who it was. Both missing: approved through the API, whose token is the authority. */
  readonly slackUserId?: string;
  readonly github?: { readonly login: string; readonly id: number };
  /** Hex SHA-256 of the change as it is kept. */
  readonly changeHash: string;
}
