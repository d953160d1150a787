/**
 * What the configuration says about one repository, already resolved. Parsing and matching are `config/`'s.
 */
import type { Effort, Reason } from './task.ts';

export interface RepositoryPolicy {
  readonly allowed: true;
  /** The configuration entry that decided, as written there. */
  readonly matchedBy: string;
  readonly aliases: readonly string[];
  /** null: the repository's default branch. */
  readonly baseBranch: string | null;
  readonly model: string;
  /** What `--model` may name; always holds `model`. */
  readonly models: readonly string[];
  readonly effort: Effort;
  readonly setup: { readonly run: string; readonly hosts: readonly string[] } | null;
  readonly limits: { readonly minutes: number; readonly tokens: number };
  readonly draft: boolean;
}
export interface RepositoryRefusal {
  readonly allowed: false;
  readonly reason: Reason;
}

export interface GithubPolicy {
  /** The handle without `@`, lower case. */
  readonly mention: string;
  /** The label that starts a task, lower case. */
  readonly label: string;
}
