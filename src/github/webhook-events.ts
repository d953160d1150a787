/**
 * Turns a verified webhook payload into the task that it asks for, or says why it asks for none. Pure.
 *
 * A task starts from `issue_comment.created`, `issues.opened` and `issues.labeled`, and in a pull request
 * also from what `review-events.ts` reads. Edits never start one, so that nobody can change the words of a
 * comment that was already answered. Whether the person may start a task is decided later, with the
 * collaborator permission API. Whether GitHub displays the mention, and what is asked, is read again later
 * from what GitHub rendered: here no call is made, and the words are a preview.
 *
 * Software never starts a task; otherwise two bots could trigger each other forever. Software is a sender or
 * author of type Bot, a login that ends in `[bot]`, and a comment or issue that a GitHub App wrote on behalf
 * of a person (`performed_via_github_app`), who may not have seen the words. So Airlock ignores people who
 * write through such an app. GitHub's site, its mobile app and `gh` are not such apps.
 */
import * as z from 'zod';
import { cameWithIssue, taskIdFor } from '../core/ids.ts';
import { parseMention } from '../core/ask/mention.ts';
import type { GithubPolicy } from '../core/policy.ts';
import { receiptReaders } from './receipt-events.ts';
import { pullReaders } from './review-events.ts';
import {
  commonSchema,
  draft,
  ignored,
  instantSchema,
  isSet,
  isSoftware,
  noMention,
  parsed,
  subjectSchema,
  textSchema,
  whyNobodyAsks,
  type WebhookReading,
} from './webhook-draft.ts';

const issueEvent = commonSchema.extend({ issue: subjectSchema });
const commentEvent = issueEvent.extend({
  comment: textSchema.extend({ created_at: instantSchema }),
});
const labelEvent = issueEvent.extend({ label: z.object({ name: z.string() }).optional() });
const actionOf = z.object({ action: z.string() });

type IssueEvent = z.infer<typeof issueEvent>;

const onPullRequest = ({ issue }: IssueEvent): boolean => isSet(issue.pull_request);

function readComment(payload: z.infer<typeof commentEvent>, policy: GithubPolicy): WebhookReading {
  const { comment, sender, issue } = payload;
  const why = whyNobodyAsks(sender, comment);
  if (why !== null) return ignored(why);
  const mention = parseMention(comment.body ?? '', policy.mention);
  if (mention.kind === 'none') return ignored(noMention);
  const event = 'issue_comment';
  const trigger = {
    taskId: taskIdFor({ event, repositoryId: payload.repository.id, commentId: comment.id }),
    event,
    onPullRequest: onPullRequest(payload),
    commentId: comment.id,
    triggeredAt: comment.created_at,
    comment: comment.body ?? '',
  } as const;
  return draft(payload, issue, policy, trigger, mention);
}

function readOpened(payload: IssueEvent, policy: GithubPolicy): WebhookReading {
  const { sender, issue } = payload;
  const why = whyNobodyAsks(sender, issue);
  if (why !== null) return ignored(why);
  // Reads the body only: titles are often quoted, and a mention in a title notifies nobody on GitHub either.
  const mention = parseMention(issue.body ?? '', policy.mention, 'asks-the-rest');
  if (mention.kind === 'none') return ignored(noMention);
  const event = 'issue_opened';
  const trigger = {
    taskId: taskIdFor({ event, repositoryId: payload.repository.id, issueNumber: issue.number }),
    event,
    onPullRequest: onPullRequest(payload),
    commentId: null,
    triggeredAt: issue.created_at,
  } as const;
  return draft(payload, issue, policy, trigger, mention);
}

function readLabeled(payload: z.infer<typeof labelEvent>, policy: GithubPolicy): WebhookReading {
  const { sender, label, issue } = payload;
  if (label === undefined || label.name.toLowerCase() !== policy.label) return ignored('another label');
  // The author does not matter here and may be a bot, such as an alert: the person who labels the issue asks.
  if (isSoftware(sender)) return ignored('labeled by software');
  const key = {
    event: 'issue_labeled',
    repositoryId: payload.repository.id,
    issueNumber: issue.number,
    issueCreatedAt: issue.created_at,
    issueUpdatedAt: issue.updated_at,
    byAuthor: issue.user?.id === sender.id,
  } as const;
  // An issue opened with a label and a mention causes two events. Both lead to the same task and instruction.
  if (cameWithIssue(key)) {
    const opened = readOpened(payload, policy);
    if (opened.kind === 'task') return opened;
  }
  const trigger = {
    taskId: taskIdFor(key),
    event: 'issue_labeled',
    onPullRequest: onPullRequest(payload),
    commentId: null,
    triggeredAt: issue.updated_at,
  } as const;
  const asked = { ask: { kind: 'run' }, instruction: '', options: {} } as const;
  return draft(payload, issue, policy, trigger, asked);
}

const readers: Readonly<Record<string, (payload: unknown, policy: GithubPolicy) => WebhookReading>> = {
  'issue_comment.created': (payload, policy) =>
    parsed(commentEvent, payload, (found) => readComment(found, policy)),
  'issues.opened': (payload, policy) => parsed(issueEvent, payload, (found) => readOpened(found, policy)),
  'issues.labeled': (payload, policy) => parsed(labelEvent, payload, (found) => readLabeled(found, policy)),
  ...pullReaders,
  ...receiptReaders,
};

/** Whether an event can ask for something. `event`: with its action, such as `issues.opened`. */
export const mayStart = (event: string): boolean => Object.hasOwn(readers, event);

/** `payload` is verified to be from GitHub but not yet parsed. */
export function readWebhook(eventName: string, payload: unknown, policy: GithubPolicy): WebhookReading {
  const action = actionOf.safeParse(payload);
  const event = action.success ? `${eventName}.${action.data.action}` : eventName;
  const read = mayStart(event) ? readers[event] : undefined;
  return read?.(payload, policy) ?? ignored('not an event that starts a task');
}
