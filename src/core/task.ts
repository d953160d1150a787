/** A task: the durable request that starts it, and its possible outcomes. */
import * as z from 'zod';
import type { Patch } from './change-set.ts';
import type { Cause } from './reasons.ts';

/** At most 39 characters, and an underscore with a short code for a managed user: `mona_acme`. */
const ownerSchema = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})$/);
const repositoryNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,100}$/)
  .refine((name) => name !== '.' && name !== '..' && !name.toLowerCase().endsWith('.git'));

export const repositoryRefSchema = z.strictObject({ owner: ownerSchema, name: repositoryNameSchema });
/** A repository as people write it: `owner/name`. */
export type RepositoryRef = z.infer<typeof repositoryRefSchema>;

export const effortSchema = z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']);
/** Reasoning effort, in the words of the Responses API. */
export type Effort = z.infer<typeof effortSchema>;

export const taskOptionsSchema = z.strictObject({
  base: z.string().min(1).max(255).optional(),
  model: z.string().min(1).max(100).optional(),
  effort: effortSchema.optional(),
});
/** What the requester may set. Each is checked against the repository's policy. */
export type TaskOptions = z.infer<typeof taskOptionsSchema>;

/** Characters of a hunk that is kept. GitHub shows its end, where the line is. */
export const maxHunkChars = 20_000;

/** Untrusted: where a comment in a diff is, as the webhook delivered it. `line` is null if it is outdated. */
const lineCommentSchema = z.strictObject({
  path: z.string().min(1).max(4096),
  line: z.number().int().positive().nullable(),
  startLine: z.number().int().positive().nullable(),
  side: z.enum(['LEFT', 'RIGHT']).nullable(),
  /** The comment that it replies to: the first one of its thread. */
  inReplyTo: z.number().int().positive().nullable(),
  diffHunk: z.string().max(maxHunkChars).nullable(),
});
export type LineComment = z.infer<typeof lineCommentSchema>;

const githubTriggerSchema = z.strictObject({
  kind: z.literal('github'),
  event: z.enum([
    'issue_comment',
    'issue_opened',
    'issue_labeled',
    'review_comment',
    'review',
    'pull_request_labeled',
  ]),
  installationId: z.number().int().positive(),
  repositoryId: z.number().int().positive(),
  issueNumber: z.number().int().positive(),
  /** True when the "issue" is a pull request, whose number is `issueNumber`. */
  onPullRequest: z.boolean(),
  /** The name of the bot at the trigger, as people mention it, without `@`. */
  mention: z.string().min(1).max(100),
  /** The triggering comment, or review comment if `event` says so; null when there is none. */
  commentId: z.number().int().positive().nullable(),
  /** The triggering review, or the one that the triggering review comment belongs to. */
  reviewId: z.number().int().positive().optional(),
  lineComment: lineCommentSchema.optional(),
  /** ISO 8601. Codex does not get context that was written or edited after this instant. */
  triggeredAt: z.iso.datetime({ offset: true }),
  /** Untrusted: the issue or pull request at the trigger. REST does not tell an edit from a comment. */
  issue: z.strictObject({ title: z.string().max(1000), body: z.string().max(70_000) }).optional(),
  /** Untrusted: the Markdown of the triggering comment or review as the webhook delivered it. */
  comment: z.string().max(70_000).optional(),
});
export type GithubTrigger = z.infer<typeof githubTriggerSchema>;
const apiTriggerSchema = z.strictObject({ kind: z.literal('api') });

/**
 * What a run does instead of a change that its words describe. Where there is no pull request, `fix-checks`
 * and `resolve-conflicts` are changes like others.
 */
export const taskJobSchema = z.enum(['question', 'fix-checks', 'resolve-conflicts']);
export type TaskJob = z.infer<typeof taskJobSchema>;

/** Slack's ids: a letter for the kind, then upper-case letters and digits. */
const slackId = (kinds: string) => z.string().regex(new RegExp(`^[${kinds}][A-Z0-9]{1,30}$`));
export const taskIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

/** Slack's id of a message within its channel: seconds and a counter. */
export const slackTsSchema = z.string().regex(/^\d{1,12}\.\d{1,8}$/);
export const slackTeamIdSchema = slackId('TE');
export const slackChannelIdSchema = slackId('CDG');
export const slackUserIdSchema = slackId('UW');
export const slackGroupIdSchema = slackId('S');

export const slackTriggerSchema = z.strictObject({
  kind: z.literal('slack'),
  /** `message`: in a direct message or a task's thread, without a mention. `form`: the modal. */
  event: z.enum(['command', 'form', 'mention', 'message']),
  teamId: slackTeamIdSchema,
  channelId: slackChannelIdSchema,
  userId: slackUserIdSchema,
  /** The root of the thread that gets the post; null: the post goes to the channel and is a root itself. */
  threadTs: slackTsSchema.nullable(),
  /** The message that asked; null for a command and for a form without a message. */
  messageTs: slackTsSchema.nullable(),
  /** ISO 8601. Codex does not get messages that were written after this instant. */
  triggeredAt: z.iso.datetime({ offset: true }),
  /** The task that this one repeats. It continues what that one continued, never that one itself. */
  again: z.strictObject({ by: z.enum(['retry', 'change']), taskId: taskIdSchema }).optional(),
});
export type SlackTrigger = z.infer<typeof slackTriggerSchema>;

export const taskRequestSchema = z.strictObject({
  /** Derived from the trigger, so that a redelivery finds the existing task. */
  taskId: taskIdSchema,
  /** The first 8 hex digits of SHA-256(taskId), for the branch name and for people. */
  shortId: z.string().regex(/^[0-9a-f]{8}$/),
  /** When it was accepted. Also the commit's date, so that a second attempt makes the same commit. */
  acceptedAt: z.iso.datetime({ offset: true }),
  /** Null: the words in Slack name none, and routing decides. */
  repository: repositoryRefSchema.nullable(),
  trigger: z.discriminatedUnion('kind', [githubTriggerSchema, apiTriggerSchema, slackTriggerSchema]),
  /** Null for an API call, whose token is the authority, and in Slack until the person is looked up. */
  requester: z
    .strictObject({ login: z.string().min(1).max(100), id: z.number().int().positive() })
    .nullable(),
  /** A retry: who asked for the same before, on GitHub by id. */
  askedBefore: z
    .array(
      z.strictObject({
        slackUserId: slackUserIdSchema.nullable(),
        githubId: z.number().int().positive().nullable(),
      }),
    )
    .max(20)
    .optional(),
  /**
   * Asked on the page of the task that it repeats, by `requester` or by the operator. Whose access counts is
   * decided by that, and not by `trigger`, which says where the answer goes. `place`: the page's repository.
   */
  onPage: z
    .strictObject({
      repeats: taskIdSchema,
      by: z.enum(['person', 'operator']),
      place: githubTriggerSchema.pick({ installationId: true, repositoryId: true }).nullable(),
    })
    .optional(),
  /** What is asked. `invalid`: the mention could not be understood, and the task ends with that message. */
  ask: z.discriminatedUnion('kind', [
    /** Needs a sandbox. Without a job it is a change. */
    z.strictObject({ kind: z.literal('run'), job: taskJobSchema.optional() }),
    z.strictObject({ kind: z.literal('help') }),
    z.strictObject({ kind: z.literal('status') }),
    z.strictObject({ kind: z.literal('cancel') }),
    z.strictObject({ kind: z.literal('retry') }),
    /** `hash`: the beginning of the held change's hash. */
    z.strictObject({ kind: z.literal('approve'), hash: z.string().regex(/^[0-9a-f]{12,64}$/) }),
    z.strictObject({ kind: z.literal('invalid'), message: z.string().min(1).max(1000) }),
  ]),
  /** Untrusted text. Empty when a label alone is the trigger; the issue is then the instruction. */
  instruction: z.string().max(70_000),
  options: taskOptionsSchema,
});
/** Durable, and without any credential. */
export type TaskRequest = z.infer<typeof taskRequestSchema>;

/** Whether the task answers a question about the code, and changes nothing. */
export const isQuestion = ({ ask }: Pick<TaskRequest, 'ask'>): boolean =>
  ask.kind === 'run' && ask.job === 'question';

/** A request with its repository: what every stage after routing works with. */
export type RoutedRequest = TaskRequest & { readonly repository: RepositoryRef };

/** What a Workflow instance does: a whole task, or only the publication of a kept change. */
export const taskStartSchema = z.strictObject({
  kind: z.enum(['task', 'publish']),
  request: taskRequestSchema,
});
export type TaskStart = z.infer<typeof taskStartSchema>;

/** The phases of a task's life, in order. */
export const taskPhases = [
  'accepted',
  'route',
  'authorize',
  'acknowledge',
  'slot',
  'provision',
  'canary',
  'clone',
  'setup',
  'codex',
  'collect',
  'gate',
  'publish',
  'report',
  'ended',
] as const;
export type TaskPhase = (typeof taskPhases)[number];

export interface PullRequestRef {
  readonly number: number;
  /** As GitHub has it; untrusted. */
  readonly title: string;
  readonly url: string;
  readonly headRef: string;
  readonly headSha: string;
  readonly draft: boolean;
}

/** A pull request as GitHub has it now. */
export interface PullRequestState {
  readonly pullRequest: PullRequestRef;
  readonly open: boolean;
  /** False when its branch lies in a fork, where the App may not write. */
  readonly sameRepository: boolean;
  readonly baseBranch: string;
  /** The head of the base branch when GitHub last looked. */
  readonly baseSha: string;
  readonly merged: boolean;
  /** Nobody but people with write access can comment. */
  readonly locked: boolean;
  /** GitHub merges it by itself once its requirements are met. */
  readonly autoMerge: boolean;
  /** Login, or `ghost` for a deleted account. */
  readonly author: string;
}

/** Why something did not happen, for people. `reason.ts` makes it from the table of all reasons. */
export interface Reason {
  /** Stable, for programs. */
  readonly code: string;
  /** Whose doing it is. */
  readonly cause: Cause;
  /** What happened. Sentences that can quote untrusted text. */
  readonly message: string;
  /** What to do next. Sentences. */
  readonly next: string;
}

/** Exactly one of these ends every accepted task. */
export type TaskOutcome =
  /** `added`: to an existing pull request. `leftOut`: names files not published; untrusted. */
  | {
      readonly kind: 'pull-request';
      readonly pullRequest: PullRequestRef;
      readonly added?: boolean;
      /** Of a commit on the pull request in which it was asked: the task's own comment describes it there. */
      readonly commit?: {
        readonly sha: string;
        readonly summary: string;
        readonly remarks: readonly string[];
        /** Markdown by `publish/`, already escaped: what ran, the change, the network receipt. */
        readonly report: string;
      };
      readonly leftOut?: string;
    }
  | { readonly kind: 'no-change'; readonly summary: string; readonly leftOut?: string }
  | { readonly kind: 'refused'; readonly reason: Reason }
  /**
   * `changeHash`: the kept change that an approval is bound to. `patch`: what is held. `secondPerson`: nobody
   * who asked for it may approve it.
   */
  | {
      readonly kind: 'held';
      readonly reason: Reason;
      readonly changeHash: string | null;
      readonly patch?: Patch;
      readonly secondPerson?: true;
    }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly changeKept: boolean; readonly patch?: Patch }
  | { readonly kind: 'cancelled'; readonly by: string }
  /** The work is done, but nothing may be written to where it belongs. */
  | {
      readonly kind: 'patch';
      readonly reason: Reason;
      readonly patch: Patch;
      readonly summary: string;
      readonly remarks?: readonly string[];
      readonly leftOut?: string;
    }
  /** The answer of the model to a question about the code. `dropped`: files that it changed all the same. */
  | { readonly kind: 'replied'; readonly text: string; readonly dropped?: number }
  /** The words were handed to a running task, which answers. */
  | { readonly kind: 'steered'; readonly taskId: string }
  /** Nobody saw a request, so nobody gets an answer. */
  | { readonly kind: 'ignored'; readonly reason: Reason }
  /** The answer to a command, which needs no sandbox. */
  | { readonly kind: 'answered'; readonly message: string };

/** A repository as a GitHub installation sees it. */
export interface RepositoryFacts {
  readonly owner: string;
  readonly name: string;
  readonly repositoryId: number;
  readonly installationId: number;
  readonly defaultBranch: string;
  readonly private: boolean;
}
/** Where it is: ids, because names change hands. */
export type RepositoryPlace = Pick<RepositoryFacts, 'installationId' | 'repositoryId'>;
