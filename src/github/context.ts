/**
 * Which of an issue's conversation Codex gets to read. Pure; `issue-context.ts` fetches it and asks who may write.
 *
 * - The issue itself, always, as the webhook delivered it: who asks wants that issue worked on. Who wrote it is marked.
 * - Comments of people with write access, as they stood at the trigger. One edited since is left out, because nobody
 *   can say what it said then; otherwise a comment could be swapped between the asking and the reading.
 * - Not the triggering comment: its text, as delivered, is the instruction. Not what software wrote.
 */
import type { IssueContext } from '../core/ask/context.ts';
import { stripHidden } from '../core/ask/hidden-text.ts';
import type { TaskRequest } from '../core/task.ts';
import type { HistoryComment } from './comment-history.ts';
import { cut, singleLine } from './markdown.ts';

/** Characters of body and comments together: about 15,000 tokens, so that the conversation does not crowd out the code. */
const maxChars = 60_000;
/** Characters of the body alone, so that some room is left for what people said about it. */
const maxBodyChars = 40_000;
const maxLabels = 30;

export interface ContextInput {
  readonly issue: {
    readonly number: number;
    readonly title: string;
    readonly body: string;
    readonly user: { readonly login: string; readonly type: string } | null;
    /** ISO 8601. GitHub moves it with every comment, not only with an edit. */
    readonly updated_at: string;
    readonly labels: readonly (string | { readonly name?: string | null | undefined })[];
  };
  /** Oldest first. */
  readonly comments: readonly HistoryComment[];
  /** Logins of those authors that the collaborator permission API says may write. */
  readonly writers: ReadonlySet<string>;
  readonly trigger: Extract<TaskRequest['trigger'], { kind: 'github' }>;
  /** Ours: its comments are the bot's own progress. */
  readonly appId: number;
  /** Older comments that were not even read. */
  readonly notRead: number;
}

function labelNames(labels: ContextInput['issue']['labels']): string[] {
  const names = labels.map((label) => singleLine(typeof label === 'string' ? label : (label.name ?? ''), 60));
  return names.filter((name) => name !== '').slice(0, maxLabels);
}

/** `<=` and `>` on a date that cannot be read are both false: such a comment is never taken. */
function standsAsItStood(comment: HistoryComment, triggeredAt: number): 'yes' | 'later' | 'edited' {
  if (Date.parse(comment.created_at) > triggeredAt) return 'later';
  return Date.parse(comment.created_at) <= triggeredAt && Date.parse(comment.updated_at) <= triggeredAt
    ? 'yes'
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
  // The newest first: what was said last is what the asker had in mind.
  for (const comment of input.comments.toReversed()) {
    if (comment.id === trigger.commentId || comment.performed_via_github_app?.id === input.appId) continue;
    const stands = standsAsItStood(comment, triggeredAt);
    if (stands === 'later') continue;
    if (stands === 'edited' || !mayWrite(comment.user) || comment.user === null) {
      leftOut += 1;
      continue;
    }
    const said = stripHidden(comment.body);
    if (said === '') continue;
    // Once one does not fit, older ones do not either: a conversation with holes misleads more than a short one.
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
