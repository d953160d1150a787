/**
 * What a program that starts the GitHub simulator may ask of it: options, the actions of people, and views for assertions.
 * The protocols (REST, git smart HTTP, webhooks) are GitHub's own and are not described here.
 */
import type { SecureContext } from 'node:tls';

type FileMode = '100644' | '100755' | '120000';
/** A symlink's content is its target. */
export type FileContent = string | { readonly content: string | Uint8Array; readonly mode?: FileMode };
export type RolePermission = 'admin' | 'maintain' | 'write' | 'triage' | 'read';
export type PermissionLevel = 'read' | 'write';
export type Permissions = Readonly<Record<string, PermissionLevel>>;
export type ReactionContent = '+1' | '-1' | 'laugh' | 'confused' | 'heart' | 'hooray' | 'rocket' | 'eyes';

export interface GithubSimulatorOptions {
  /** Folder for the bare repositories. `stateDir/repositories` is emptied at the start: issues and tokens live in memory. */
  readonly stateDir: string;
  /** TCP port on 127.0.0.1; 0 (the default) takes a free one. */
  readonly port?: number;
  readonly app: {
    readonly id: number;
    readonly slug: string;
    /** SPKI or PKCS#1 public key that App JWTs are verified with. */
    readonly publicKeyPem: string;
    /** What every installation grants. Default: contents, issues and pull_requests write, metadata read; no workflows. */
    readonly permissions?: Permissions;
  };
  readonly webhook: {
    /** null: deliveries are recorded as not sent until `setWebhookUrl`. */
    readonly url: string | null;
    readonly secret: string;
  };
}

export interface RepositoryName {
  readonly owner: string;
  readonly name: string;
}

export interface NewRepository extends RepositoryName {
  readonly files: Readonly<Record<string, FileContent>>;
  /** Default true: then nothing is readable without a token, which is the stricter test. */
  readonly private?: boolean;
  /** Default `main`. */
  readonly defaultBranch?: string;
  readonly collaborators?: readonly { readonly login: string; readonly permission: RolePermission }[];
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
export interface CommentEdit extends RepositoryName {
  readonly comment: number;
  readonly body: string;
  /** Who edits; default the comment's author. */
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

export interface ForkPull extends RepositoryName {
  /** Whose fork it is. */
  readonly author: string;
  /** The fork's branch; may be called like one of the repository's own. */
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly files: Readonly<Record<string, FileContent | null>>;
}

export interface DeliveryAttempt {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly durationMs: number;
  /** null when there was no answer; `error` then says why. */
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
}
export interface CommentView {
  readonly id: number;
  readonly author: string;
  readonly authorType: 'User' | 'Bot' | 'Organization';
  readonly body: string;
  /** Every body it ever had, first to present. */
  readonly versions: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}
export interface TokenView {
  readonly token: string;
  readonly installationId: number;
  readonly permissions: Permissions;
  /** `owner/name` of each repository it reaches. */
  readonly repositories: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revoked: boolean;
}
export interface RequestView {
  readonly at: number;
  readonly method: string;
  /** Path with query, never a header or a body. */
  readonly path: string;
  /** null when the connection was cut before an answer. */
  readonly status: number | null;
  readonly tokenKind: 'anonymous' | 'app' | 'installation' | 'refused';
  readonly durationMs: number;
}

export interface Fault {
  readonly method: string;
  /** Matched against the path without query, `/api/v3` included. */
  readonly path: RegExp;
  /** A status to answer with; `timeout`: no answer until the client gives up; `reset`: the connection is cut. */
  readonly status: number | 'timeout' | 'reset';
  /** The `Location` of a redirect. */
  readonly location?: string;
  /** Default 1. */
  readonly times?: number;
  /** `after` performs the request and then loses the answer (REST only): the case that idempotence is for. Default `before`. */
  readonly when?: 'before' | 'after';
}

export interface GithubSimulator {
  /** Base of web pages and of git, without a trailing slash. */
  readonly url: string;
  /** `${url}/api/v3`, as on GitHub Enterprise Server. */
  readonly apiUrl: string;
  setWebhookUrl(url: string | null): void;
  createRepository(repository: NewRepository): Promise<CreatedRepository>;
  /** Resolves when the webhook was answered. `labelDeliveries` are the `issues.labeled` of the initial labels. */
  openIssue(
    issue: NewIssue,
  ): Promise<{ id: number; number: number; delivery: Delivery; labelDeliveries: readonly Delivery[] }>;
  commentOnIssue(comment: NewComment): Promise<{ id: number; delivery: Delivery }>;
  editComment(edit: CommentEdit): Promise<{ delivery: Delivery }>;
  labelIssue(labelling: IssueLabelling): Promise<{ delivery: Delivery }>;
  /**
   * Git and REST redirect from the old name to the new one, until a new repository takes the old one. Sends no webhook: the App is
   * not subscribed to it.
   */
  renameRepository(of: RepositoryName, newName: string): void;
  /** Commits files to an existing branch from outside, as a person's push would. */
  moveBranch(move: BranchMove): Promise<{ sha: string }>;
  /** From now on an App's REST call cannot move the branch; `moveBranch` still can. */
  protectBranch(of: RepositoryName & { branch: string }): void;
  openPullFromFork(pull: ForkPull): Promise<{ number: number; headSha: string }>;
  /** A person closes it; with `merge` its head, which has to hold the base, is merged first. The branch stays. */
  closePull(of: RepositoryName & { number: number; merge?: boolean }): Promise<void>;
  /** A person asks for it to be merged once its checks pass. Nothing here ever merges it. */
  enableAutoMerge(of: RepositoryName & { number: number }): void;
  /** Suspends the App's installation on an owner: it is listed, but mints no token. */
  suspendInstallation(owner: string): void;
  resumeInstallation(owner: string): void;
  /** What the App asks for and listens to from now on, as changed on its settings page. What is left out stays. */
  changeApp(change: { readonly permissions?: Permissions; readonly events?: readonly string[] }): void;
  /** What an account has accepted of the App's permissions; null: all. Shown only: tokens are minted as before. */
  acceptPermissions(owner: string, permissions: Permissions | null): void;
  /** The App signs with it from now on. */
  setWebhookSecret(secret: string): void;
  deliveries(): readonly Delivery[];
  /** Sends the same body under the same GUID again. */
  redeliver(deliveryId: string): Promise<{ status: number | null; attempt: DeliveryAttempt }>;
  issue(of: RepositoryName & { issue: number }): IssueView | null;
  pulls(of: RepositoryName): Promise<readonly PullView[]>;
  comments(of: RepositoryName & { issue: number }): readonly CommentView[];
  /** Of a comment when `comment` is given, of the issue itself otherwise. */
  reactions(
    of: RepositoryName & { issue: number; comment?: number },
  ): readonly { login: string; content: ReactionContent }[];
  branches(of: RepositoryName): Promise<readonly { name: string; sha: string }[]>;
  /** Every installation token ever minted. */
  issuedTokens(): readonly TokenView[];
  requests(): readonly RequestView[];
  failNext(fault: Fault): void;
  /** Serves the same site over TLS as well, as github.com does, until `close`. Resolves with its base; the host is `localhost`. */
  listenTls(contextFor: (hostname: string) => Promise<SecureContext>): Promise<string>;
  close(): Promise<void>;
}
