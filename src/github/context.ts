/**
 * Selects the part of an issue's conversation that Codex reads. Pure; `issue-context.ts` fetches it and
 * checks who may write.
 *
 * - The issue itself, always, as the webhook delivered it: the requester wants that issue worked on. Its
 * author is marked.
 * - Comments of people with write access, as they were at the trigger. A comment edited later is left out,
 * because its earlier text is   unknown. Otherwise someone could swap a comment between the request and the
 * reading.
 * - Not the triggering comment: its text, as delivered, is the instruction. Nothing that software wrote.
 */
import type { IssueContext } from '../core/ask/context.ts';
import { stripHidden } from '../core/ask/hidden-text.ts';
import type { TaskRequest } from '../core/task.ts';
import type { HistoryComment } from './comment-history.ts';
import { cut, singleLine } from './markdown.ts';

/**
 * Characters of body and comments: about 15,000 tokens, so that the conversation leaves room for the code.
 */
const maxChars = 60_000;
/** Characters of the body alone, which leaves room for the comments. */
const maxBodyChars = 40_000;
const maxLabels = 30;

export interface ContextInput {
  readonly issue: {
    readonly number: number;
    readonly title: string;
    readonly body: string;
    readonly user: { readonly login: string; readonly type: string } | null;
    /** ISO 8601. Every comment updates it, not only an edit. */
    readonly updated_at: string;
    readonly labels: readonly (string | { readonly name?: string | null | undefined })[];
  };
  /** Oldest first. */
  readonly comments: readonly HistoryComment[];
  /** Logins of the authors with write access according to the collaborator permission API. */
  readonly writers: ReadonlySet<string>;
  readonly trigger: Extract<TaskRequest['trigger'], { kind: 'github' }>;
  /** Our App's id. Its comments are the bot's own progress. */
  readonly appId: number;
  /** Number of older comments that were not read. */
  readonly notRead: number;
}

function labelNames(labels: ContextInput['issue']['labels']): string[] {
  const names = labels.map((label) => singleLine(typeof label === 'string' ? label : (label.name ?? ''), 60));
  return names.filter((name) => name !== '').slice(0, maxLabels);
}

/** Comparisons with an unreadable date are false, so such a comment counts as edited. */
function stateAtTrigger(comment: HistoryComment, triggeredAt: number): 'unchanged' | 'later' | 'edited' {
  if (Date.parse(comment.created_at) > triggeredAt) return 'later';
  return Date.parse(comment.created_at) <= triggeredAt && Date.parse(comment.updated_at) <= triggeredAt
    ? 'unchanged'
    : 'edited';
}

export function selectContext(input: ContextInput): IssueContext {
  const { issue, trigger } = input;
  const writers = new Set([...input.writers].map((login) => login.toLowerCase()));
  const mayWrite = (user: HistoryComment['user']): boolean =>
    user !== null && user.type === 'User' && writers.has(user.login.toLowerCase());
  const triggeredAt = Date.parse(trigger.triggeredAt);

  const untouched = Date.parse(issue.updated_at) <= triggeredAt;
  const text = trigger.issue ?? (untouched ? { title: issue.title, body: issue.body } : null);
  const body = text === null ? '' : cut(stripHidden(text.body), maxBodyChars);

  let room = maxChars - body.length;
  let full = false;
  let leftOut = input.notRead;
  const kept: { author: string; createdAt: string; text: string }[] = [];
  // Newest first: the requester had the latest comments in mind.
  for (const comment of input.comments.toReversed()) {
    if (comment.id === trigger.commentId || comment.performed_via_github_app?.id === input.appId) continue;
    const state = stateAtTrigger(comment, triggeredAt);
    if (state === 'later') continue;
    if (state === 'edited' || !mayWrite(comment.user) || comment.user === null) {
      leftOut += 1;
      continue;
    }
    const said = stripHidden(comment.body);
    if (said === '') continue;
    // Once one comment does not fit, drop all older ones: a conversation with holes misleads more than a
    // short one.
    full ||= said.length > room;
    if (full) {
      leftOut += 1;
      continue;
    }
    room -= said.length;
    kept.push({ author: comment.user.login, createdAt: comment.created_at, text: said });
  }

  return {
    number: issue.number,
    title: text === null ? '' : singleLine(text.title, 300),
    author: issue.user?.login ?? 'ghost',
    authorCanWrite: mayWrite(issue.user),
    body,
    bodyLeftOut: text === null,
    labels: labelNames(issue.labels),
    comments: kept.toReversed(),
    commentsLeftOut: leftOut,
  };
}
