/** What the configuration says about one repository, resolved. `config/` parses and matches. */
import type { GatePolicy } from './gate-policy.ts';
import type { Registry } from './registry.ts';
import type { Effort, Reason, RepositoryRef } from './task.ts';

export interface RepositoryPolicy {
  readonly allowed: true;
  /** The key of the configuration entry that decided, as written. */
  readonly matchedBy: string;
  readonly aliases: readonly string[];
  /** Null: the repository's default branch. */
  readonly baseBranch: string | null;
  readonly model: string;
  /** The models that `--model` may name, including `model`. */
  readonly models: readonly string[];
  readonly effort: Effort;
  readonly setup: SetupPolicy | null;
  readonly sandbox: SandboxPolicy;
  /** Other repositories that a task may read, by exact name. Resolved when the task is authorized. */
  readonly alsoRead: readonly RepositoryRef[];
  /** True: the clone includes Git LFS objects. */
  readonly lfs: boolean;
  /** Host names in lower case that the sandbox may read from while Codex runs. */
  readonly extraHosts: readonly string[];
  readonly limits: { readonly minutes: number; readonly tokens: number };
  readonly draft: boolean;
  /** The beginning of the names of new branches, such as `airlock/`. */
  readonly branchPrefix: string;
  readonly commit: {
    /** Whose `Signed-off-by` every commit carries. */
    readonly signOff: Person | null;
    /** Author and committer of every commit. Null: left to GitHub, which then signs. */
    readonly author: Person | null;
  };
  /** Labels of the pull requests that Airlock opens, each once. */
  readonly labels: readonly string[];
  /** Logins, and teams as `org/team`. */
  readonly reviewers: readonly string[];
  /** Who may approve a held change: `second-person`: nobody who asked for it. */
  readonly approval: ApprovalRule;
  /** Of the tasks of this repository. */
  readonly budget: Budget;
  readonly gate: GatePolicy;
  readonly slack: SlackAccess;
}

/** What tasks may spend in a calendar month (UTC). Null: no cap. */
export interface BudgetCaps {
  readonly tokens: number | null;
  /** US dollars, by the prices of the configuration. */
  readonly dollars: number | null;
}
/** `perPerson`: what those of one person may. */
export interface Budget extends BudgetCaps {
  readonly perPerson: BudgetCaps;
}
const noCaps: BudgetCaps = { tokens: null, dollars: null };
export const noBudget: Budget = { ...noCaps, perPerson: noCaps };

/** As git writes it: `Name <email>`. */
export interface Person {
  readonly name: string;
  readonly email: string;
}

export const approvalRules = ['anyone', 'second-person'] as const;
export type ApprovalRule = (typeof approvalRules)[number];

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
  sandbox: { image: null, instance: null, toolchains: [] },
  alsoRead: [],
  lfs: false,
  extraHosts: [],
  limits: { minutes: 1, tokens: 1 },
  draft: false,
  branchPrefix: 'airlock/',
  commit: { signOff: null, author: null },
  labels: [],
  reviewers: [],
  approval: 'anyone',
  budget: noBudget,
  gate: { protected: [], allow: [] },
  slack: { kind: 'none' },
};

/** The command that runs in the clone before Codex. */
export interface SetupPolicy {
  /** For `/bin/sh -c`. */
  readonly run: string;
  /** Host names in lower case: GET and HEAD without a credential, only while setup runs. */
  readonly hosts: readonly string[];
  /** Private registries that setup reads with a credential it never sees. */
  readonly registries: readonly Registry[];
  /** True: a failure of setup is a remark on the pull request and does not end the task. */
  readonly optional: boolean;
  /** True: what the command leaves running stays until the sandbox ends, such as a database. */
  readonly services: boolean;
}

/** For a task whose code an outsider wrote: private packages are not theirs to read. */
export const withoutRegistries = (policy: RepositoryPolicy): RepositoryPolicy =>
  policy.setup === null ? policy : { ...policy, setup: { ...policy.setup, registries: [] } };

/** The platform's list. A test compares it with wrangler's, which also has two old names. */
export const instanceTypes = [
  'lite',
  'basic',
  'standard-1',
  'standard-2',
  'standard-3',
  'standard-4',
] as const;
export type InstanceType = (typeof instanceTypes)[number];

/** The machine of a repository's tasks. Only the configuration decides it, never a request. */
export interface SandboxPolicy {
  /** On Cloudflare: a name in `wrangler.jsonc`, or a digest of the account's registry. Null: the default. */
  readonly image: string | null;
  /** On Cloudflare. Null: the default. */
  readonly instance: InstanceType | null;
  /** On one machine: folders that the sandbox sees read-only, absolute or below `~/`. */
  readonly toolchains: readonly string[];
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

/** `mention` is null if none is configured: then it is the App's own name. */
export type ConfiguredGithub = Omit<GithubPolicy, 'mention'> & { readonly mention: string | null };

/** `none` is the default. `workspace`: every full member. `listed`: each list that is not null matches. */
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
  /** The only workspace that may use the bot: `T…`, or `E…` for an organization. */
  readonly team: string;
  /** Channel id → the default repository of tasks from there. */
  readonly channelDefaults: ReadonlyMap<string, RepositoryRef>;
  /** Slack user id → GitHub login, for the co-author and the review request, never for access. */
  readonly githubLogins: ReadonlyMap<string, string>;
  /** `all`: a plain reply in a task's thread is a follow-up. `mentions`: only one that mentions the bot. */
  readonly replies: 'all' | 'mentions';
}

/** US dollars per million tokens, from the configuration. This program knows no prices. */
export interface ModelPrice {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
}

export interface Policy {
  forRepository(repository: RepositoryRef): RepositoryPolicy | RepositoryRefusal;
  /** Allowed repositories that the configuration names exactly, in its order. */
  readonly named: readonly RepositoryRef[];
  /** True if an entry with a `*` allows repositories, so that `named` is incomplete. */
  readonly hasPatterns: boolean;
  /** Null: Slack is not configured. */
  readonly slack: SlackPolicy | null;
  /** Of all tasks together. */
  readonly budget: Budget;
}
