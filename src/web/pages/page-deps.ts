/** What the pages need from outside. `compose/pages.ts` wires it. */
import type { RepositoryAccess, Viewer } from '../../core/access/page-access.ts';
import type { Approval } from '../../core/authorization.ts';
import type { LedgerQuery, LedgerRow } from '../../core/ledger.ts';
import type { RemarkFate, Remark } from '../../core/remark.ts';
import type { RepositoryPlace } from '../../core/task.ts';
import type { TaskEvent, TaskView } from '../../core/task-view.ts';
import type { Signer } from '../../lib/signer.ts';
import type { OpenLinks } from './open-link.ts';

/** An action asks GitHub; a page, once a minute; a list, less often about what the person may not see. */
export type AccessFor = 'action' | 'page' | 'list';

export type Person = Extract<Viewer, { kind: 'github' }>;

export interface PageDeps {
  readonly signer: Signer;
  /** Null: the settings for it are missing. */
  readonly signIn: SignIn | null;
  /** Null off one machine, where there is no terminal to trust. */
  readonly openLinks: OpenLinks | null;
  /** The public address, without a trailing slash; null if it is not configured. */
  readonly url: string | null;
  /** Of GitHub's pages, without a trailing slash. */
  readonly githubUrl: string;
  /** Whether the task was ever accepted. Asking a record would create it. */
  isListed(taskId: string): Promise<boolean>;
  task(taskId: string): PageTask;
  /** What the ledger has, newest first. */
  readonly ledger: (query: LedgerQuery) => Promise<readonly LedgerRow[]>;
  /** Those that it has tasks of, the newest first. */
  readonly repositories: (limit: number) => Promise<readonly RepositoryPlace[]>;
  /** Rejects if GitHub cannot be asked. */
  readonly accessOf: (
    place: RepositoryPlace,
    person: Person,
    asked: AccessFor,
  ) => Promise<RepositoryAccess | null>;
  readonly retryPublication: (
    taskId: string,
    approval: Approval | null,
  ) => Promise<{ readonly started: true } | { readonly started: false; readonly reason: string }>;
  /** Starts the task that repeats this one, or finds it. `requester`: null for the operator. */
  readonly runAgain: (
    taskId: string,
    requester: Omit<Person, 'kind'> | null,
  ) => Promise<
    { readonly started: true; readonly taskId: string } | { readonly started: false; readonly reason: string }
  >;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

export interface SignIn {
  /** Where a person decides. `challenge`: PKCE's, by SHA-256. */
  address(asked: {
    readonly redirectUri: string;
    readonly state: string;
    readonly challenge: string;
  }): string;
  person(asked: {
    readonly code: string;
    readonly redirectUri: string;
    readonly verifier: string;
  }): Promise<
    | { readonly kind: 'person'; readonly person: Omit<Person, 'kind'> }
    | { readonly kind: 'denied' | 'unavailable' }
  >;
}

/** A task's record, as its page uses it. */
export interface PageTask {
  /** Null: there is no such task. `place` is null until its repository is known. */
  subject(): Promise<{ readonly place: RepositoryPlace | null } | null>;
  view(): Promise<TaskView | null>;
  /** The newest lines of the log before `before`, in order. */
  linesBefore(before: number, atMost: number): Promise<readonly TaskEvent[]>;
  linesAfter(after: number, atMost: number): Promise<readonly TaskEvent[]>;
  watch(afterSeq: number): Promise<ReadableStream<Uint8Array> | null>;
  kept(name: string): Promise<string | null>;
  cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }>;
  addRemark(remark: Remark): Promise<RemarkFate | null>;
}
