/**
 * Derives a task's id from its trigger, so that all deliveries for one human act lead to the same task.
 * Headers such as `X-GitHub-Delivery` are no part of it: GitHub signs the body only, so anybody could replay
 * a delivery.
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
      /** From the signed payload. Setting a label again moves `issueUpdatedAt`: a new request. */
      readonly issueCreatedAt: string;
      readonly issueUpdatedAt: string;
      /** True if the same person set the label and wrote the issue. */
      readonly byAuthor: boolean;
    }
  | {
      readonly event: 'pull_request_labeled';
      readonly repositoryId: number;
      readonly issueNumber: number;
      readonly issueUpdatedAt: string;
    }
  /** With its line comments: a review is one human act, for which GitHub sends an event for each of them. */
  | { readonly event: 'review'; readonly repositoryId: number; readonly reviewId: number }
  /** Of a line comment that GitHub names no review for. */
  | { readonly event: 'review_comment'; readonly repositoryId: number; readonly commentId: number };

/** GitHub sends `opened` and `labeled` for one human act if the label came with the issue. */
export function cameWithIssue(key: GithubTriggerKey & { readonly event: 'issue_labeled' }): boolean {
  return key.byAuthor && Date.parse(key.issueCreatedAt) === Date.parse(key.issueUpdatedAt);
}

/** Ids are numbers up to 2^53, so the longest task id has 49 of the 63 characters allowed. */
export function taskIdFor(key: GithubTriggerKey): string {
  if (key.event === 'issue_comment') return `gh-${key.repositoryId}-c${key.commentId}`;
  if (key.event === 'review') return `gh-${key.repositoryId}-r${key.reviewId}`;
  // The ids of comments in a diff are counted apart.
  if (key.event === 'review_comment') return `gh-${key.repositoryId}-d${key.commentId}`;
  if (key.event === 'issue_opened' || (key.event === 'issue_labeled' && cameWithIssue(key)))
    return `gh-${key.repositoryId}-i${key.issueNumber}`;
  return `gh-${key.repositoryId}-l${key.issueNumber}-${Math.floor(Date.parse(key.issueUpdatedAt) / 1000)}`;
}

/** The same `Idempotency-Key` gives the same task (160 bits of its SHA-256); the UUID gives a new one. */
export async function apiTaskId(
  source: { readonly idempotencyKey: string } | { readonly uuid: string },
): Promise<string> {
  if ('idempotencyKey' in source) return `api-${(await sha256Hex(source.idempotencyKey)).slice(0, 40)}`;
  return `api-${source.uuid.toLowerCase()}`;
}

/** The trigger of a task in Slack, from the signed payload or from a task that came from one. */
export type SlackTaskKey =
  | { readonly event: 'command'; readonly teamId: string; readonly triggerId: string }
  | { readonly event: 'form'; readonly teamId: string; readonly viewId: string }
  /** Includes mentions: Slack sends `app_mention` and `message` for one message, and both are one task. */
  | { readonly event: 'message'; readonly teamId: string; readonly channelId: string; readonly ts: string };

/** A hash: Slack's ids have characters that a task id lacks. Leaves out what is unsigned or per event. */
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
  }
}

/**
 * The task that a button starts to repeat an ended one, so that a double click is one task. `instead`: the
 * repetition before, which nobody was allowed.
 */
export async function repeatedTaskId(taskId: string, instead: string | null): Promise<string> {
  const [place = ''] = taskId.split('-');
  const parts = ['retry', taskId, ...(instead === null ? [] : [instead])];
  return `${place}-${(await sha256Hex(JSON.stringify(parts))).slice(0, 40)}`;
}

/** The first 8 hex digits of SHA-256(taskId): readable, but not unique for ever, so never a key. */
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
