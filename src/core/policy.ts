/**
 * What the configuration says about one repository, already resolved. Parsing and matching are `config/`'s.
 */
import type { Effort, Reason, RepositoryRef } from './task.ts';

export interface RepositoryPolicy {
  readonly allowed: true;
  /** The key of the configuration entry that decided, as written there. */
  readonly matchedBy: string;
  readonly aliases: readonly string[];
  /** null: the repository's default branch. */
  readonly baseBranch: string | null;
  readonly model: string;
  /** What `--model` may name; always holds `model`. */
  readonly models: readonly string[];
  readonly effort: Effort;
  readonly setup: SetupPolicy | null;
  /** Other repositories that a task may read, by their exact names; resolved when the task is authorized. */
  readonly alsoRead: readonly RepositoryRef[];
  /** Git LFS objects are fetched with the clone. */
  readonly lfs: boolean;
  /** Host names, lower case, that may be read from while Codex runs. */
  readonly extraHosts: readonly string[];
  readonly limits: { readonly minutes: number; readonly tokens: number };
  readonly draft: boolean;
  /** First part of the names of the branches that are created here, such as `airlock/`. */
  readonly branchPrefix: string;
  readonly slack: SlackAccess;
}

/** A policy that opens nothing and sets no options. The doctor probes a sandbox with it. */
export const closedPolicy: RepositoryPolicy = {
  allowed: true,
  matchedBy: '',
  aliases: [],
  baseBranch: null,
  model: 'none',
  models: ['none'],
  effort: 'medium',
  setup: null,
  alsoRead: [],
  lfs: false,
  extraHosts: [],
  limits: { minutes: 1, tokens: 1 },
  draft: false,
  branchPrefix: 'airlock/',
  slack: { kind: 'none' },
};

/** What runs in the clone before Codex does. */
export interface SetupPolicy {
  /** For `/bin/sh -c`. */
  readonly run: string;
  /** Host names, lower case: GET and HEAD without a credential, and only while it runs. */
  readonly hosts: readonly string[];
  /** A failure is a remark on the pull request and not the end of the task. */
  readonly optional: boolean;
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

/**
 * Who may use a repository from Slack. `none` is the default. `workspace`: every full member, from
 * everywhere. `listed`: every list that is not null has to hold, where `users` and `groups` together are one
 * list of people.
 */
export type SlackAccess =
  | { readonly kind: 'none' }
  | { readonly kind: 'workspace' }
  | {
      readonly kind: 'listed';
      /** Channel ids; null: from everywhere. */
      readonly channels: readonly string[] | null;
      /** User ids and user group ids; null: every full member. */
      readonly people: { readonly users: readonly string[]; readonly groups: readonly string[] } | null;
    };

export interface SlackPolicy {
  /** The only workspace that is served: `T…`, or `E…` for an organisation. */
  readonly team: string;
  /** Channel id → the repository that tasks from there are about when nothing else says. */
  readonly channelDefaults: ReadonlyMap<string, RepositoryRef>;
  /** Slack user id → GitHub login: for the co-author and the review request, never for access. */
  readonly githubLogins: ReadonlyMap<string, string>;
  /** Whether a plain reply in a task's thread is a follow-up (`all`), or only one that mentions the bot. */
  readonly replies: 'all' | 'mentions';
}

/** US dollars for a million tokens, from the configuration: this program knows no prices. */
export interface ModelPrice {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
}

export interface Policy {
  /** How people address the bot: the handle without `@`. */
  readonly mention: string;
  forRepository(repository: RepositoryRef): RepositoryPolicy | RepositoryRefusal;
  /**
   * Repositories that the configuration names exactly and allows, in its order. Those below a `*` are not
   * among them.
   */
  readonly named: readonly RepositoryRef[];
  /** Whether some entry with a `*` allows repositories, so that `named` is not all there is. */
  readonly hasPatterns: boolean;
  /** null: Slack is not configured. */
  readonly slack: SlackPolicy | null;
}
