/**
 * Selects the part of an issue's conversation that Codex reads. Pure; `issue-context.ts` fetches it and
 * checks who may write.
 *
 * - The issue itself, always, as the webhook delivered it: the requester wants that issue worked on. Its
 * author is marked. Its text is left out if it is the instruction itself.
 * - Every text as GitHub displays it. What an app wrote in a person's name is named as such.
 * - Comments of people with write access, as they were at the trigger. A comment edited later is left out,
 * because its earlier text is   unknown. Otherwise someone could swap a comment between the request and the
 * reading.
 * - Not the triggering comment: its text, as delivered, is the instruction. Nothing that software wrote.
 */
import type { IssueContext } from '../core/ask/context.ts';
import type { TaskRequest } from '../core/task.ts';
import { withoutMiddle } from '../lib/cut-text.ts';
import type { HistoryComment } from './comment-history.ts';
import { singleLine } from './markdown.ts';

/** About 15,000 tokens, so that the conversation leaves room for the code. */
const maxChars = 60_000;
/** Characters of the body alone, which leaves room for the comments. */
const maxBodyChars = 40_000;
const maxLabels = 30;

export interface ContextInput {
  readonly issue: {
    readonly number: number;
    readonly title: string;
    /** Its text as GitHub displays it: the delivered one if there is one. */
    readonly shown: string;
    readonly performed_via_github_app?: HistoryComment['performed_via_github_app'];
    readonly user: { readonly login: string; readonly type: string } | null;
    /** ISO 8601. Every comment updates it, not only an edit. */
    readonly updated_at: string;
    readonly labels: readonly (string | { readonly name?: string | null | undefined })[];
  };
  /** Oldest first. */
  readonly comments: readonly (Pick<
    HistoryComment,
    'id' | 'user' | 'created_at' | 'updated_at' | 'performed_via_github_app'
  > & { readonly shown: string })[];
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

/** Of the app that wrote a text; null if a person wrote it on GitHub. */
function slugOf(app: HistoryComment['performed_via_github_app']): string | null {
  return app == null ? null : singleLine(app.slug ?? `number ${app.id}`, 100);
}

/** Comparisons with an unreadable date are false, so such a comment counts as edited. */
export function stateAtTrigger(
  comment: Pick<HistoryComment, 'created_at' | 'updated_at'>,
  triggeredAt: number,
): 'unchanged' | 'later' | 'edited' {
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
  const title = trigger.issue?.title ?? (untouched ? issue.title : null);
  const bodyIsInstruction = trigger.event === 'issue_opened';
  const body = title === null || bodyIsInstruction ? '' : withoutMiddle(issue.shown.trim(), maxBodyChars);

  let room = maxChars - body.length;
  let full = false;
  let leftOut = input.notRead;
  const kept: IssueContext['comments'][number][] = [];
  // Newest first: the requester had the latest comments in mind.
  for (const comment of input.comments.toReversed()) {
    if (comment.id === trigger.commentId || comment.performed_via_github_app?.id === input.appId) continue;
    const state = stateAtTrigger(comment, triggeredAt);
    if (state === 'later') continue;
    if (state === 'edited' || !mayWrite(comment.user) || comment.user === null) {
      leftOut += 1;
      continue;
    }
    const said = comment.shown.trim();
    if (said === '') continue;
    // Once one comment does not fit, drop all older ones: a conversation with holes misleads more than a
    // short one.
    full ||= said.length > room;
    if (full) {
      leftOut += 1;
      continue;
    }
    room -= said.length;
    const { user, created_at: createdAt, performed_via_github_app: app } = comment;
    kept.push({ author: user.login, throughApp: slugOf(app), createdAt, text: said });
  }

  return {
    number: issue.number,
    title: singleLine(title ?? '', 300),
    author: issue.user?.login ?? 'ghost',
    throughApp: issue.user?.type === 'Bot' ? issue.user.login : slugOf(issue.performed_via_github_app),
    authorCanWrite: mayWrite(issue.user),
    body,
    bodyLeftOut: title === null,
    bodyIsInstruction,
    labels: labelNames(issue.labels),
    comments: kept.toReversed(),
    commentsLeftOut: leftOut,
    pull: null,
  };
}
