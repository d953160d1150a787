/**
 * What GitHub stores outside git: users, settings, issues, comments, pull requests, reviews. In memory.
 * Longer than 300 lines because its records refer to each other.
 */
// oxlint-disable max-lines -- see above
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commitFiles } from './commit-files.ts';
import type { NewRepository, Permissions, ReactionContent, RolePermission } from './contract.ts';
import { GitRepository } from './git-repository.ts';
import type { Ruleset } from './rulesets.ts';
import { nameKey, requireName } from './repository-names.ts';

export interface User {
  readonly id: number;
  readonly login: string;
  readonly type: 'User' | 'Bot' | 'Organization';
}
export interface Reaction {
  readonly id: number;
  readonly user: User;
  readonly content: ReactionContent;
  readonly createdAt: string;
}
export interface Label {
  readonly id: number;
  readonly name: string;
  readonly color: string;
}
export interface Comment {
  readonly id: number;
  readonly issue: number;
  readonly user: User;
  readonly createdAt: string;
  readonly byApp: boolean;
  readonly reactions: Reaction[];
  readonly versions: string[];
  body: string;
  updatedAt: string;
}
export interface Pull {
  readonly id: number;
  readonly headRef: string;
  /** The head commit at the last refresh. It follows the branch while the pull request is open. */
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  maintainerCanModify: boolean;
  readonly requestedReviewers: User[];
  /** Slugs. */
  readonly requestedTeams: string[];
  /** The owner of the fork that contains the head; null if the head is in this repository. */
  readonly fork: User | null;
  autoMergeBy: User | null;
  readonly reviews: Review[];
  readonly reviewComments: ReviewComment[];
  merged: { readonly at: string; readonly by: User; readonly sha: string } | null;
}
/** GitHub makes one for each comment in a diff that is not part of a larger review. */
export interface Review {
  readonly id: number;
  readonly user: User;
  readonly state: 'COMMENTED' | 'APPROVED' | 'CHANGES_REQUESTED';
  readonly submittedAt: string;
  readonly commitId: string;
  body: string;
}
/** A comment in the diff of a pull request. */
export interface ReviewComment {
  readonly id: number;
  readonly reviewId: number;
  readonly user: User;
  readonly createdAt: string;
  readonly reactions: Reaction[];
  readonly versions: string[];
  readonly path: string;
  readonly line: number;
  readonly startLine: number | null;
  readonly side: 'LEFT' | 'RIGHT';
  /** The first comment of its thread. */
  readonly inReplyTo: number | null;
  readonly diffHunk: string;
  /** Lines below the first hunk header of the file. */
  readonly position: number;
  readonly commitId: string;
  body: string;
  updatedAt: string;
}
/** An issue, or a pull request if `pull` is set. Both share numbers, comments and labels. */
export interface Issue {
  readonly id: number;
  readonly number: number;
  readonly user: User;
  readonly createdAt: string;
  readonly byApp: boolean;
  readonly labels: Label[];
  readonly comments: Comment[];
  readonly reactions: Reaction[];
  readonly pull: Pull | null;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  closedAt: string | null;
  /** The App cannot comment. */
  locked: boolean;
  updatedAt: string;
}
export interface Repository {
  readonly id: number;
  readonly owner: User;
  name: string;
  readonly private: boolean;
  readonly defaultBranch: string;
  readonly createdAt: string;
  readonly collaborators: ReadonlyMap<string, { user: User; permission: RolePermission }>;
  /** Slugs. */
  readonly teams: readonly string[];
  readonly labels: Map<string, Label>;
  readonly issues: Map<number, Issue>;
  /** Names of branches → the check that their protection demands. */
  readonly requiredChecks: Map<string, string>;
  rulesets: readonly Ruleset[];
  readonly git: GitRepository;
}
export interface Installation {
  readonly id: number;
  readonly account: User;
  readonly createdAt: string;
  readonly repositories: Repository[];
  suspendedAt: string | null;
  /** The permissions that the account has accepted; null: all that the App requests. */
  accepted: Permissions | null;
}

/** Formats a time in ms as GitHub does: UTC, whole seconds. */
export function timestamp(at: number = Date.now()): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

export class Store {
  readonly repositories = new Map<string, Repository>();
  readonly installations = new Map<string, Installation>();
  /** Renamed repositories by former name, until another repository takes the name. */
  private readonly renamed = new Map<string, Repository>();
  readonly users = new Map<string, User>();
  private readonly root: string;
  private lastId = 1000;

  constructor(stateDir: string) {
    this.root = join(stateDir, 'repositories');
  }

  get repositoriesDir(): string {
    return this.root;
  }

  async clear(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  /** Returns an id that is unique across all kinds of objects, so that a mixed-up id fails. */
  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  user(login: string, type: User['type'] = 'User'): User {
    const known = this.users.get(login.toLowerCase());
    if (known !== undefined) return known;
    const user: User = { id: this.nextId(), login, type };
    this.users.set(login.toLowerCase(), user);
    return user;
  }

  findUser(login: string): User | null {
    return this.users.get(login.toLowerCase()) ?? null;
  }

  people(): readonly User[] {
    return [...this.users.values()].filter(({ type }) => type === 'User');
  }

  repository(owner: string, name: string): Repository | null {
    return this.repositories.get(nameKey(owner, name)) ?? null;
  }

  /** Finds a renamed repository by its former name; null if another repository has that name now. */
  repositoryByFormerName(owner: string, name: string): Repository | null {
    return this.renamed.get(nameKey(owner, name)) ?? null;
  }

  rename(repository: Repository, name: string): void {
    requireName(name);
    const from = nameKey(repository.owner.login, repository.name);
    const to = nameKey(repository.owner.login, name);
    if (this.repositories.has(to)) throw new Error(`${to} already exists`);
    this.repositories.delete(from);
    repository.name = name;
    this.repositories.set(to, repository);
    this.renamed.set(from, repository);
    this.renamed.delete(to);
  }

  repositoryById(id: number): Repository | null {
    return [...this.repositories.values()].find((one) => one.id === id) ?? null;
  }

  installationOf(repository: Repository): Installation | null {
    return [...this.installations.values()].find((one) => one.repositories.includes(repository)) ?? null;
  }

  installationById(id: number): Installation | null {
    return [...this.installations.values()].find((one) => one.id === id) ?? null;
  }

  async createRepository(wanted: NewRepository): Promise<{ repository: Repository; headSha: string }> {
    requireName(wanted.owner);
    requireName(wanted.name);
    const key = nameKey(wanted.owner, wanted.name);
    if (this.repositories.has(key)) throw new Error(`${key} already exists`);
    const defaultBranch = wanted.defaultBranch ?? 'main';
    const owner = this.user(wanted.owner, 'Organization');
    // A renamed repository keeps its folder, so a repository that takes over its name needs another one.
    const folder = this.renamed.has(key) ? `${wanted.name}-${this.nextId()}` : wanted.name;
    const git = await GitRepository.create(join(this.root, owner.login, `${folder}.git`), defaultBranch);
    const collaborators = new Map(
      (wanted.collaborators ?? []).map(({ login, permission }) => [
        login.toLowerCase(),
        { user: this.user(login), permission },
      ]),
    );
    const createdAt = timestamp();
    const author = { name: owner.login, email: `${owner.login}@users.noreply.github.com`, date: createdAt };
    const message = 'Initial commit\n';
    const isEmpty = Object.keys(wanted.files).length === 0;
    const headSha = isEmpty
      ? ''
      : await commitFiles(git, { branch: defaultBranch, from: null, files: wanted.files, message, author });
    const repository: Repository = {
      id: this.nextId(),
      owner,
      name: wanted.name,
      private: wanted.private ?? true,
      defaultBranch,
      createdAt,
      collaborators,
      teams: wanted.teams ?? [],
      labels: new Map(),
      issues: new Map(),
      requiredChecks: new Map(),
      rulesets: [],
      git,
    };
    this.repositories.set(key, repository);
    this.renamed.delete(key);
    if (wanted.installed ?? true) this.install(repository);
    return { repository, headSha };
  }

  label(repository: Repository, name: string): Label {
    const key = name.toLowerCase();
    const known = repository.labels.get(key);
    if (known !== undefined) return known;
    const label: Label = { id: this.nextId(), name, color: 'ededed' };
    repository.labels.set(key, label);
    return label;
  }

  addIssue(
    repository: Repository,
    fields: {
      user: User;
      title: string;
      body: string | null;
      labels?: readonly string[];
      byApp: boolean;
      pull?: Pull;
    },
  ): Issue {
    const at = timestamp();
    const issue: Issue = {
      id: this.nextId(),
      number: repository.issues.size + 1,
      user: fields.user,
      createdAt: at,
      byApp: fields.byApp,
      labels: (fields.labels ?? []).map((name) => this.label(repository, name)),
      comments: [],
      reactions: [],
      pull: fields.pull ?? null,
      title: fields.title,
      body: fields.body,
      state: 'open',
      closedAt: null,
      locked: false,
      updatedAt: at,
    };
    repository.issues.set(issue.number, issue);
    return issue;
  }

  addComment(issue: Issue, fields: { user: User; body: string; byApp: boolean }): Comment {
    const at = timestamp();
    const comment: Comment = {
      id: this.nextId(),
      issue: issue.number,
      user: fields.user,
      createdAt: at,
      byApp: fields.byApp,
      reactions: [],
      versions: [fields.body],
      body: fields.body,
      updatedAt: at,
    };
    issue.comments.push(comment);
    issue.updatedAt = at;
    return comment;
  }

  install(repository: Repository): void {
    const key = repository.owner.login.toLowerCase();
    const installation = this.installations.get(key) ?? {
      id: this.nextId(),
      account: repository.owner,
      createdAt: timestamp(),
      repositories: [],
      suspendedAt: null,
      accepted: null,
    };
    installation.repositories.push(repository);
    this.installations.set(key, installation);
  }
}

export function findComment(repository: Repository, id: number): { issue: Issue; comment: Comment } | null {
  for (const issue of repository.issues.values()) {
    const comment = issue.comments.find((one) => one.id === id);
    if (comment !== undefined) return { issue, comment };
  }
  return null;
}

export function editComment(comment: Pick<Comment, 'body' | 'versions' | 'updatedAt'>, body: string): void {
  comment.body = body;
  comment.versions.push(body);
  comment.updatedAt = timestamp();
}
