/**
 * The programming interface of the GitHub simulator; the wire protocols are GitHub's.
 * Longer than 300 lines because it is one contract.
 */
// oxlint-disable max-lines -- see above
import type { SecureContext } from 'node:tls';
import type { Wire } from '../wire/faults.ts';
import type { FieldError } from './api-errors.ts';

type FileMode = '100644' | '100755' | '120000';
/** A file's content; for a symlink, its target. */
export type FileContent = string | { readonly content: string | Uint8Array; readonly mode?: FileMode };
export type RolePermission = 'admin' | 'maintain' | 'write' | 'triage' | 'read';
export type PermissionLevel = 'read' | 'write';
export type Permissions = Readonly<Record<string, PermissionLevel>>;
export type ReactionContent = '+1' | '-1' | 'laugh' | 'confused' | 'heart' | 'hooray' | 'rocket' | 'eyes';

export interface GithubSimulatorOptions {
  /** Start empties `stateDir/repositories`; issues and tokens are kept in memory. */
  readonly stateDir: string;
  /** TCP port on 127.0.0.1. 0 (the default) picks a free one. */
  readonly port?: number;
  readonly app: {
    readonly id: number;
    readonly slug: string;
    /** The public key that verifies App JWTs (SPKI or PKCS#1). */
    readonly publicKeyPem: string;
    /** Of every installation. Default: all that Airlock asks for. */
    readonly permissions?: Permissions;
  };
  readonly webhook: {
    /** null: deliveries are recorded as failed until `setWebhookUrl` is called. */
    readonly url: string | null;
    readonly secret: string;
    /** Milliseconds that a receiver has for its answer. Default 10 s, as at GitHub. */
    readonly answerWithinMs?: number;
  };
  /** Breaks requests to it. */
  readonly wire?: Wire;
  /** Requests per hour that the headers announce, and nothing enforces. null: none. Default as at GitHub. */
  readonly hourlyLimit?: number | null;
}

export interface RepositoryName {
  readonly owner: string;
  readonly name: string;
}

export interface NewRepository extends RepositoryName {
  readonly files: Readonly<Record<string, FileContent>>;
  /** Default true, which is the stricter test: nothing is readable without a token. */
  readonly private?: boolean;
  /** Default `main`. */
  readonly defaultBranch?: string;
  readonly collaborators?: readonly { readonly login: string; readonly permission: RolePermission }[];
  /** Slugs of the owner's teams that have access. */
  readonly teams?: readonly string[];
  /** Whether the App's installation on the owner includes it. Default true. */
  readonly installed?: boolean;
}
export interface CreatedRepository extends RepositoryName {
  readonly id: number;
  readonly installationId: number | null;
  /** The bare repository on disk. */
  readonly gitDir: string;
  readonly cloneUrl: string;
  readonly headSha: string;
}

export interface NewIssue extends RepositoryName {
  readonly author: string;
  readonly title: string;
  readonly body: string;
  readonly labels?: readonly string[];
}
export interface NewComment extends RepositoryName {
  /** Number of an issue or of a pull request. */
  readonly issue: number;
  readonly author: string;
  readonly body: string;
  readonly authorType?: 'User' | 'Bot';
}
export interface NewAttachment extends RepositoryName {
  readonly file: string;
  readonly content: string | Uint8Array<ArrayBuffer>;
}
export interface CommentEdit extends RepositoryName {
  readonly comment: number;
  readonly body: string;
  /** The login of the editor. Default: the comment's author. */
  readonly actor?: string;
}
export interface IssueLabelling extends RepositoryName {
  readonly issue: number;
  readonly label: string;
  readonly actor: string;
}
export interface BranchMove extends RepositoryName {
  readonly branch: string;
  /** null deletes the file. */
  readonly files: Readonly<Record<string, FileContent | null>>;
  readonly message?: string;
  readonly author?: string;
}

export interface NewPull extends RepositoryName {
  readonly author: string;
  /** The branch to create, in the repository itself. */
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body?: string;
  readonly draft?: boolean;
  readonly files: Readonly<Record<string, FileContent | null>>;
}
export interface NewReview extends RepositoryName {
  readonly number: number;
  readonly author: string;
  /** Default: none, as for a single comment in the diff. */
  readonly body?: string;
  readonly state?: 'COMMENTED' | 'APPROVED' | 'CHANGES_REQUESTED';
  readonly comments?: readonly {
    readonly path: string;
    readonly line: number;
    readonly startLine?: number;
    readonly side?: 'LEFT' | 'RIGHT';
    readonly body: string;
  }[];
}
export interface ReviewReply extends RepositoryName {
  readonly number: number;
  readonly author: string;
  readonly comment: number;
  readonly body: string;
}
/** `deliveries`: the review's own webhook, then one for each comment. */
export interface SubmittedReview {
  readonly id: number;
  readonly comments: readonly number[];
  readonly deliveries: readonly Delivery[];
}

export interface ForkPull extends RepositoryName {
  /** The owner of the fork. */
  readonly author: string;
  /** The branch in the fork. It can have the same name as a branch of the base repository. */
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly files: Readonly<Record<string, FileContent | null>>;
}

export const conclusions = [
  'success',
  'failure',
  'neutral',
  'cancelled',
  'skipped',
  'timed_out',
  'action_required',
] as const;
export type CheckConclusion = (typeof conclusions)[number];
export interface NewCheckRun extends RepositoryName {
  readonly sha: string;
  /** The name of the check. */
  readonly check: string;
  /** null: it still runs. */
  readonly conclusion: CheckConclusion | null;
  /** The slug of the App that made it. Default `github-actions`: it is the job of a workflow. */
  readonly app?: string;
  readonly output?: { readonly title?: string; readonly summary?: string; readonly text?: string };
  /** The steps and the log of a job. Without a log GitHub answers 404, as after its retention. */
  readonly steps?: readonly { readonly name: string; readonly conclusion: CheckConclusion }[];
  readonly log?: string;
}
export interface CheckRunView {
  readonly id: number;
  readonly name: string;
  readonly app: string;
  readonly conclusion: CheckConclusion | null;
  readonly output: {
    readonly title: string | null;
    readonly summary: string | null;
    readonly text: string | null;
  };
  readonly externalId: string;
  /** The buttons that its App gave it. */
  readonly actions: readonly {
    readonly label: string;
    readonly description: string;
    readonly identifier: string;
  }[];
}
export interface CheckButton extends RepositoryName {
  /** The id of the check run. */
  readonly run: number;
  readonly identifier: string;
  readonly actor: string;
}
export interface NewCommitStatus extends RepositoryName {
  readonly sha: string;
  readonly context: string;
  readonly state: 'error' | 'failure' | 'pending' | 'success';
  readonly description?: string;
}

export interface DeliveryAttempt {
  /** A 64-bit integer in decimal digits, ascending. */
  readonly id: string;
  readonly redelivery: boolean;
  /** Where it was sent; null if the App had no address. */
  readonly url: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly durationMs: number;
  /** null if there was no answer; `error` has the reason. */
  readonly status: number | null;
  readonly error: string | null;
}
export interface Delivery {
  /** The `X-GitHub-Delivery` GUID; the same for every redelivery. */
  readonly id: string;
  readonly event: string;
  readonly action: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly attempts: readonly DeliveryAttempt[];
}

export interface IssueView {
  readonly id: number;
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly author: string;
  readonly state: 'open' | 'closed';
  readonly labels: readonly string[];
  readonly isPullRequest: boolean;
}
export interface PullView extends IssueView {
  readonly draft: boolean;
  readonly headRef: string;
  readonly headSha: string;
  readonly baseRef: string;
  readonly baseSha: string;
  readonly url: string;
  readonly requestedReviewers: readonly string[];
  readonly requestedTeams: readonly string[];
}
export interface CommentView {
  readonly id: number;
  readonly author: string;
  readonly authorType: 'User' | 'Bot' | 'Organization';
  readonly body: string;
  /** Every version of the body, oldest first. */
  readonly versions: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}
export interface ReviewCommentView extends CommentView {
  readonly path: string;
  readonly line: number;
  readonly inReplyTo: number | null;
  readonly reactions: readonly string[];
}
export interface TokenView {
  readonly token: string;
  readonly installationId: number;
  readonly permissions: Permissions;
  /** `owner/name` of each repository that the token covers. */
  readonly repositories: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revoked: boolean;
  /** A request came with it. */
  readonly used: boolean;
}
export interface RequestView {
  readonly at: number;
  readonly method: string;
  /** Path and query. Headers and bodies are not logged. */
  readonly path: string;
  /** null if the connection was closed before an answer. */
  readonly status: number | null;
  readonly tokenKind: 'anonymous' | 'app' | 'installation' | 'refused';
  readonly durationMs: number;
}

export interface Fault {
  readonly method: string;
  /** Matched against the path including `/api/v3`, without the query. */
  readonly path: RegExp;
  /** An HTTP status; `timeout`: no answer until the client gives up; `reset`: the connection is closed. */
  readonly status: number | 'timeout' | 'reset';
  /** The `Location` of a redirect. */
  readonly location?: string;
  /** GitHub's words and headers of an error; see `known-refusals.ts`. */
  readonly message?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** How many requests fail. Default 1. */
  readonly times?: number;
  /** `after` performs the request and loses the answer (REST only). Default `before`. */
  readonly when?: 'before' | 'after';
  /** Called when a request meets it. */
  readonly onMet?: () => void;
}

export interface PatternParameters {
  readonly operator: 'starts_with' | 'ends_with' | 'contains' | 'regex';
  readonly pattern: string;
  readonly negate?: boolean;
}
/** As GitHub's API names them and their parameters. */
export type Rule =
  | {
      readonly type:
        | 'creation'
        | 'update'
        | 'deletion'
        | 'non_fast_forward'
        | 'pull_request'
        | 'merge_queue'
        | 'required_linear_history'
        | 'required_signatures';
    }
  | {
      readonly type: 'required_status_checks';
      readonly parameters: {
        readonly required_status_checks: readonly { readonly context: string }[];
        readonly strict_required_status_checks_policy: boolean;
        readonly do_not_enforce_on_create?: boolean;
      };
    }
  | {
      readonly type:
        | 'branch_name_pattern'
        | 'commit_message_pattern'
        | 'commit_author_email_pattern'
        | 'committer_email_pattern';
      readonly parameters: PatternParameters;
    }
  | {
      readonly type: 'file_path_restriction';
      readonly parameters: { readonly restricted_file_paths: readonly string[] };
    }
  | {
      readonly type: 'file_extension_restriction';
      readonly parameters: { readonly restricted_file_extensions: readonly string[] };
    }
  | { readonly type: 'max_file_path_length'; readonly parameters: { readonly max_file_path_length: number } }
  /** In MiB. */
  | { readonly type: 'max_file_size'; readonly parameters: { readonly max_file_size: number } };
export interface NewRuleset extends RepositoryName {
  readonly rules: readonly Rule[];
  /** Patterns of refs, or `~DEFAULT_BRANCH`. Default `~ALL`. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Whether the App may bypass it. Default `never`. */
  readonly bypass?: 'always' | 'never';
  /** Default `active`. */
  readonly enforcement?: 'active' | 'evaluate' | 'disabled';
  /** Classic branch protection: no list has it, and refusals do not name it. */
  readonly classic?: boolean;
}

export interface GithubSimulator {
  /** Base URL of the web pages and of git, without a trailing slash. */
  readonly url: string;
  /** `${url}/api/v3`, as on GitHub Enterprise Server. */
  readonly apiUrl: string;
  setWebhookUrl(url: string | null): void;
  /** Registers the App for sign-in, with the one address that GitHub redirects people to. */
  allowSignIn(app: { readonly clientSecret: string; readonly callbackUrl: string }): {
    readonly clientId: string;
    /** Tokens of people that were not revoked. */
    readonly liveTokens: () => readonly string[];
  };
  /** Deliveries of which this is true do not arrive, as when the network in between is down. */
  loseWebhooks(isLost: (delivery: Delivery) => boolean): void;
  createRepository(repository: NewRepository): Promise<CreatedRepository>;
  /** `labelDeliveries`: the `issues.labeled` events of the initial labels. */
  openIssue(
    issue: NewIssue,
  ): Promise<{ id: number; number: number; delivery: Delivery; labelDeliveries: readonly Delivery[] }>;
  commentOnIssue(comment: NewComment): Promise<{ id: number; delivery: Delivery }>;
  /** Uploads a file that a text can then show. Returns its address. */
  attach(file: NewAttachment): string;
  /** From now on uploads lead to this address. */
  redirectUploads(to: string): void;
  editComment(edit: CommentEdit): Promise<{ delivery: Delivery }>;
  labelIssue(labelling: IssueLabelling): Promise<{ delivery: Delivery }>;
  /** Git and REST redirect until a new repository takes the old name. Sends no webhook. */
  renameRepository(of: RepositoryName, newName: string): void;
  /** Commits files to an existing branch, as a push by a user would. */
  moveBranch(move: BranchMove): Promise<{ sha: string }>;
  /** Shows the check as one that the branch's protection demands before a merge. */
  requireCheck(of: RepositoryName & { branch: string; check: string }): void;
  /** Judges later REST calls by the App. `moveBranch`, which is a person's push, still works. */
  addRuleset(ruleset: NewRuleset): { id: number };
  removeRuleset(of: RepositoryName & { id: number }): void;
  /** Adds a ruleset for the branch: changes come through pull requests only. */
  protectBranch(of: RepositoryName & { branch: string }): void;
  /** Opens a pull request by a person. */
  openPull(pull: NewPull): Promise<{ number: number; headSha: string; delivery: Delivery }>;
  /** Submits a review, or a single comment in the diff, which GitHub makes a review of. */
  reviewPull(review: NewReview): Promise<SubmittedReview>;
  /** Replies in the thread of a comment in the diff. */
  replyInReview(reply: ReviewReply): Promise<SubmittedReview>;
  openPullFromFork(pull: ForkPull): Promise<{ number: number; headSha: string }>;
  /** With `merge` after merging it; its head must contain the base. Keeps the branch. */
  closePull(of: RepositoryName & { number: number; merge?: boolean }): Promise<void>;
  /** Locks the conversation of an issue or a pull request. */
  lock(of: RepositoryName & { number: number }): void;
  /** Marks a pull request for auto-merge. The simulator never performs the merge. */
  enableAutoMerge(of: RepositoryName & { number: number }): void;
  /** Adds a check run to a commit. A later one of the same name takes its place. */
  addCheckRun(run: NewCheckRun): { id: number };
  addCommitStatus(status: NewCommitStatus): { id: number };
  /** The check runs of a commit, oldest first. */
  checkRuns(of: RepositoryName & { sha: string }): readonly CheckRunView[];
  /** Presses a button of a check run of the App. GitHub shows them to people with write access. */
  pressCheckButton(pressed: CheckButton): Promise<{ delivery: Delivery }>;
  /** Redirects later requests for a job's log to another address; null: to the storage again. */
  redirectJobLogs(address: string | null): void;
  /** Suspends the App's installation on an account. It is still listed, but issues no tokens. */
  suspendInstallation(owner: string): void;
  resumeInstallation(owner: string): void;
  /** As on the App's settings page. Omitted settings stay unchanged. */
  changeApp(change: { readonly permissions?: Permissions; readonly events?: readonly string[] }): void;
  /** Accepted by the account (null: all). Shown in documents; does not affect tokens. */
  acceptPermissions(owner: string, permissions: Permissions | null): void;
  /** Makes the codes of Apps that were created from a manifest older. */
  ageManifestCodes(ms: number): void;
  /** Signs later webhooks with this secret. */
  setWebhookSecret(secret: string): void;
  deliveries(): readonly Delivery[];
  /** Sends the same body with the same GUID again. */
  redeliver(deliveryId: string): Promise<{ status: number | null; attempt: DeliveryAttempt }>;
  issue(of: RepositoryName & { issue: number }): IssueView | null;
  pulls(of: RepositoryName): Promise<readonly PullView[]>;
  comments(of: RepositoryName & { issue: number }): readonly CommentView[];
  /** The comments in the diff, oldest first. */
  reviewComments(of: RepositoryName & { number: number }): readonly ReviewCommentView[];
  /** The reactions to a comment, or to the issue if `comment` is omitted. */
  reactions(
    of: RepositoryName & { issue: number; comment?: number },
  ): readonly { login: string; content: ReactionContent }[];
  branches(of: RepositoryName): Promise<readonly { name: string; sha: string }[]>;
  /** Every installation token issued so far, including expired and revoked ones. */
  issuedTokens(): readonly TokenView[];
  requests(): readonly RequestView[];
  failNext(fault: Fault): void;
  /** Also serves over TLS until `close`, as github.com does. Resolves with the base URL. */
  listenTls(contextFor: (hostname: string) => Promise<SecureContext>): Promise<string>;
  close(): Promise<void>;
}
