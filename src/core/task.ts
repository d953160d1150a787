/**
 * What a task is: the durable request that starts it, and the ways it can end.
 * Decides nothing; every other folder speaks in these terms.
 */
import * as z from 'zod';

/** GitHub's own limit for an owner is 39 characters, for a repository name 100. */
const ownerSchema = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/);
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
/** What the requester may set in the mention or the API call; each is checked against the repository's policy. */
export type TaskOptions = z.infer<typeof taskOptionsSchema>;

const githubTriggerSchema = z.strictObject({
  kind: z.literal('github'),
  event: z.enum(['issue_comment', 'issue_opened', 'issue_labeled']),
  installationId: z.number().int().positive(),
  repositoryId: z.number().int().positive(),
  issueNumber: z.number().int().positive(),
  /** True when the "issue" is a pull request: GitHub sends `issue_comment` for both. */
  onPullRequest: z.boolean(),
  /** The triggering comment; null when the issue itself is the trigger. */
  commentId: z.number().int().positive().nullable(),
  /** ISO 8601. Context written or edited after this instant is not handed to Codex. */
  triggeredAt: z.iso.datetime({ offset: true }),
  /**
   * Untrusted: the issue as the webhook delivered it, so as it stood at the trigger. REST does not tell an edit of the body
   * from a new comment, so that without this every issue with a later comment would have to be left out.
   */
  issue: z.strictObject({ title: z.string().max(1000), body: z.string().max(70_000) }).optional(),
});
const apiTriggerSchema = z.strictObject({ kind: z.literal('api') });

/** Slack's ids: https://docs.slack.dev/reference/objects/ — a letter for the kind, then upper-case letters and digits. */
const slackId = (kinds: string) => z.string().regex(new RegExp(`^[${kinds}][A-Z0-9]{1,30}$`));
const taskIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

/** Slack's name of a message within its channel: seconds and a counter. */
export const slackTsSchema = z.string().regex(/^\d{1,12}\.\d{1,8}$/);
export const slackTeamIdSchema = slackId('TE');
export const slackChannelIdSchema = slackId('CDG');
export const slackUserIdSchema = slackId('UW');
export const slackGroupIdSchema = slackId('S');

export const slackTriggerSchema = z.strictObject({
  kind: z.literal('slack'),
  /** `message`: said in a direct message or in a task's thread, without a mention. `form`: the modal, also from the message shortcut. */
  event: z.enum(['command', 'form', 'mention', 'message']),
  teamId: slackTeamIdSchema,
  channelId: slackChannelIdSchema,
  userId: slackUserIdSchema,
  /** Root of the thread that the task's message goes to; null: it is posted to the channel and is a root itself. */
  threadTs: slackTsSchema.nullable(),
  /** The message that asked; null for a command and for a form that no message led to. */
  messageTs: slackTsSchema.nullable(),
  /** ISO 8601. What was said in the thread after this instant is not handed to Codex. */
  triggeredAt: z.iso.datetime({ offset: true }),
  /**
   * For a task that is another one anew: Retry does the same again, Change takes its place. It goes on with what that one went on
   * with, and never with that one itself.
   */
  again: z.strictObject({ by: z.enum(['retry', 'change']), taskId: taskIdSchema }).optional(),
});
export type SlackTrigger = z.infer<typeof slackTriggerSchema>;

export const taskRequestSchema = z.strictObject({
  /** A function of the trigger, so that a redelivery finds the task it already made. At most 63 characters, `[a-z0-9-]`. */
  taskId: taskIdSchema,
  /** First 8 hex digits of SHA-256(taskId): in the branch name and in what people read. */
  shortId: z.string().regex(/^[0-9a-f]{8}$/),
  /** ISO 8601, when the webhook or call was accepted. Also the date of the commit, so that a second publish makes the same one. */
  acceptedAt: z.iso.datetime({ offset: true }),
  /** null: Slack's words name none, and routing decides. */
  repository: repositoryRefSchema.nullable(),
  trigger: z.discriminatedUnion('kind', [githubTriggerSchema, apiTriggerSchema, slackTriggerSchema]),
  /** Who asked, on GitHub; null for an API call, whose bearer token is the authority, and for Slack until routing has looked. */
  requester: z
    .strictObject({ login: z.string().min(1).max(100), id: z.number().int().positive() })
    .nullable(),
  /** What is asked. `invalid`: the mention could not be understood; the task ends in that message. */
  ask: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('run') }),
    z.strictObject({ kind: z.literal('help') }),
    z.strictObject({ kind: z.literal('status') }),
    z.strictObject({ kind: z.literal('cancel') }),
    z.strictObject({ kind: z.literal('retry') }),
    z.strictObject({ kind: z.literal('invalid'), message: z.string().min(1).max(1000) }),
  ]),
  /** Untrusted text. Empty when a label alone is the trigger: the issue is then the instruction. */
  instruction: z.string().max(20_000),
  options: taskOptionsSchema,
});
/** Durable, and free of any credential. */
export type TaskRequest = z.infer<typeof taskRequestSchema>;

/** A request once it is known where it belongs: what every stage after routing works with. */
export type RoutedRequest = TaskRequest & { readonly repository: RepositoryRef };

/** What a Workflow instance is started for: a whole task, or only the publication of a change that is kept. */
export const taskStartSchema = z.strictObject({
  kind: z.enum(['task', 'publish']),
  request: taskRequestSchema,
});
export type TaskStart = z.infer<typeof taskStartSchema>;

/** Where a task is in its life; the order is the order of the steps. */
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

/** A reason a person can read. `code` is stable and for machines; `message` names the thing and the way out. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

/** Exactly one of these ends every accepted task. */
export type TaskOutcome =
  /** `added`: a commit on a pull request that was there before, not a new one. */
  | { readonly kind: 'pull-request'; readonly pullRequest: PullRequestRef; readonly added?: boolean }
  | { readonly kind: 'no-change'; readonly summary: string }
  | { readonly kind: 'refused'; readonly reason: Reason }
  /** `changeHash`: what a person's approval is bound to (hex SHA-256 of the kept change); null when approving would not help. */
  | { readonly kind: 'held'; readonly reason: Reason; readonly changeHash: string | null }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly changeKept: boolean }
  | { readonly kind: 'cancelled'; readonly by: string }
  /** The answer to `help`, `status`, `cancel` and `retry`: no sandbox was needed. */
  | { readonly kind: 'answered'; readonly message: string };

/** A GitHub installation's view of a repository. */
export interface RepositoryFacts {
  readonly owner: string;
  readonly name: string;
  readonly repositoryId: number;
  readonly installationId: number;
  readonly defaultBranch: string;
  readonly private: boolean;
}
