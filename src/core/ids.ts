/**
 * Derives a task's id from its trigger, so that a redelivered webhook, a retried call, a double click and two
 * deliveries for one human act all lead to the same task. Also reads names of repositories.
 *
 * The `X-GitHub-Delivery` header is deliberately not part of any id: GitHub signs the body only, so anybody
 * who once saw a signed delivery could replay it under new header values and get a new task each time.
 */
import { repositoryRefSchema, type RepositoryRef } from './task.ts';
import { sha256Hex } from '../lib/digest.ts';

export type GithubTriggerKey =
  | { readonly event: 'issue_comment'; readonly repositoryId: number; readonly commentId: number }
  | { readonly event: 'issue_opened'; readonly repositoryId: number; readonly issueNumber: number }
  | {
      readonly event: 'issue_labeled';
      readonly repositoryId: number;
      readonly issueNumber: number;
      /**
       * ISO 8601, from the signed payload. Setting a label again is a new request and moves `issueUpdatedAt`.
       */
      readonly issueCreatedAt: string;
      readonly issueUpdatedAt: string;
      /** True if the same person set the label and wrote the issue. */
      readonly byAuthor: boolean;
    };

/**
 * True if the label came with the issue itself: GitHub then sends `opened` and `labeled` for one human act.
 * Another person who labels within the same second makes a request of their own.
 */
export function cameWithIssue(key: GithubTriggerKey & { readonly event: 'issue_labeled' }): boolean {
  return key.byAuthor && Date.parse(key.issueCreatedAt) === Date.parse(key.issueUpdatedAt);
}

/** Ids are numbers up to 2^53, so the longest task id has 49 of the 63 characters allowed. */
export function taskIdFor(key: GithubTriggerKey): string {
  if (key.event === 'issue_comment') return `gh-${key.repositoryId}-c${key.commentId}`;
  if (key.event === 'issue_opened' || cameWithIssue(key)) return `gh-${key.repositoryId}-i${key.issueNumber}`;
  return `gh-${key.repositoryId}-l${key.issueNumber}-${Math.floor(Date.parse(key.issueUpdatedAt) / 1000)}`;
}

/**
 * Derives the id of a task from the API. The same `Idempotency-Key` gives the same task (160 bits of its
 * SHA-256, so that the key itself is not shown). Without one, the caller's random UUID makes a new task.
 */
export async function apiTaskId(
  source: { readonly idempotencyKey: string } | { readonly uuid: string },
): Promise<string> {
  if ('idempotencyKey' in source) return `api-${(await sha256Hex(source.idempotencyKey)).slice(0, 40)}`;
  return `api-${source.uuid.toLowerCase()}`;
}

/**
 * The trigger of a task in Slack. All of it comes from the signed payload, or from a task that came from one.
 */
export type SlackTaskKey =
  | { readonly event: 'command'; readonly teamId: string; readonly triggerId: string }
  | { readonly event: 'form'; readonly teamId: string; readonly viewId: string }
  /** Includes mentions: Slack sends `app_mention` and `message` for one message, and both are one task. */
  | { readonly event: 'message'; readonly teamId: string; readonly channelId: string; readonly ts: string }
  /** The id of the task to retry, so that a double click is one retry. */
  | { readonly event: 'retry'; readonly taskId: string };

/**
 * Derives the id of a task from Slack: 160 bits of a SHA-256, because Slack's own ids have characters that a
 * task id cannot have. Leaves out `X-Slack-Retry-Num`, which is not signed, and the event's id, which differs
 * between the two events for one message.
 */
export async function slackTaskId(key: SlackTaskKey): Promise<string> {
  // JSON keeps the parts apart, whatever they contain.
  return `slack-${(await sha256Hex(JSON.stringify(partsOf(key)))).slice(0, 40)}`;
}

function partsOf(key: SlackTaskKey): readonly string[] {
  switch (key.event) {
    case 'command':
      return [key.event, key.teamId, key.triggerId];
    case 'form':
      return [key.event, key.teamId, key.viewId];
    case 'message':
      return [key.event, key.teamId, key.channelId, key.ts];
    case 'retry':
      return [key.event, key.taskId];
  }
}

/**
 * The first 8 hex digits of SHA-256(taskId). Readable and stable, but not unique for ever, so never a key.
 */
export async function shortIdOf(taskId: string): Promise<string> {
  return (await sha256Hex(taskId)).slice(0, 8);
}

/** Parses `owner/name` as people write it; null when it cannot be a repository on GitHub. */
export function parseRepositoryRef(text: string): RepositoryRef | null {
  const [owner, name, ...rest] = text.trim().split('/');
  if (rest.length > 0) return null;
  const parsed = repositoryRefSchema.safeParse({ owner, name });
  return parsed.success ? parsed.data : null;
}

/** GitHub ignores case in both parts. */
export function sameRepository(a: RepositoryRef, b: RepositoryRef): boolean {
  return a.owner.toLowerCase() === b.owner.toLowerCase() && a.name.toLowerCase() === b.name.toLowerCase();
}
