/**
 * One verified webhook payload → the task that it asks for, or why it asks for none. Pure.
 *
 * Only what a person writes starts a task, once, when it is written: `issue_comment.created`, `issues.opened`,
 * `issues.labeled`. Edits never do, so that nobody can put words into a comment that was already answered.
 * Whether that person may is decided later, from the collaborator permission API.
 *
 * Software never starts a task, or two bots could keep each other busy for ever: a sender or author of type Bot, a login
 * that ends in `[bot]`, and also a comment or an issue that a GitHub App wrote in a person's name
 * (`performed_via_github_app`): the person may not have seen the words. The price is that people who write through such
 * an app are not heard; GitHub's own site, its mobile app and `gh` are none.
 */
import * as z from 'zod';
import { cameWithIssue, taskIdFor } from '../core/ids.ts';
import { parseMention } from '../core/ask/mention.ts';
import type { GithubPolicy } from '../core/policy.ts';
import { repositoryRefSchema, type TaskRequest } from '../core/task.ts';

/** A request but for what needs a clock or a digest. */
type TaskDraft = Omit<TaskRequest, 'shortId' | 'acceptedAt'>;

export type WebhookReading =
  | { readonly kind: 'task'; readonly draft: TaskDraft }
  /** `why` is ours and safe to show. */
  | { readonly kind: 'ignored'; readonly why: string }
  /** One of our three events in a shape that we do not know: never silent, since a mention may be lost. */
  | { readonly kind: 'unreadable'; readonly where: string };

const id = z.int().positive();
const account = z.object({ login: z.string().min(1).max(100), id, type: z.string() });
/** GitHub writes both `2026-11-01T10:00:00Z` and offsets. */
const instant = z.iso.datetime({ offset: true });
const viaApp = z.unknown().optional();

const issue = z.object({
  number: id,
  title: z.string(),
  body: z.string().nullish(),
  user: account.nullable(),
  created_at: instant,
  updated_at: instant,
  pull_request: z.unknown().optional(),
  performed_via_github_app: viaApp,
});
const common = {
  sender: account,
  /** Missing when a webhook of the repository, not of the App, delivers it. */
  installation: z.object({ id }).nullish(),
  repository: z.object({ id, name: z.string(), owner: z.object({ login: z.string() }) }),
};
const commentEvent = z.object({
  ...common,
  issue,
  comment: z.object({
    id,
    body: z.string().nullish(),
    user: account.nullable(),
    created_at: instant,
    performed_via_github_app: viaApp,
  }),
});
const issueEvent = z.object({ ...common, issue });
const labelEvent = z.object({ ...common, issue, label: z.object({ name: z.string() }).optional() });
const actionOf = z.object({ action: z.string() });

type Account = z.infer<typeof account>;
type Common = z.infer<typeof issueEvent>;

const ignored = (why: string): WebhookReading => ({ kind: 'ignored', why });

function isSoftware(person: Account | null): boolean {
  return person === null || person.type !== 'User' || person.login.toLowerCase().endsWith('[bot]');
}
const throughApp = (value: unknown): boolean => value !== null && value !== undefined;

function unreadable(error: z.ZodError): WebhookReading {
  return {
    kind: 'unreadable',
    where: error.issues
      .map((found) => found.path.join('.'))
      .slice(0, 5)
      .join(', '),
  };
}

type Trigger = Extract<TaskRequest['trigger'], { kind: 'github' }>;

function draft(
  payload: Common,
  requester: Account,
  trigger: Pick<Trigger, 'event' | 'commentId' | 'triggeredAt'> & { readonly taskId: string },
  asked: Pick<TaskDraft, 'ask' | 'instruction' | 'options'>,
): WebhookReading {
  const repository = repositoryRefSchema.safeParse({
    owner: payload.repository.owner.login,
    name: payload.repository.name,
  });
  if (!repository.success) return { kind: 'unreadable', where: 'repository' };
  // Without an installation there is no way to answer.
  if (payload.installation === undefined || payload.installation === null) {
    return ignored('delivered by a webhook of the repository, not by the App');
  }
  return {
    kind: 'task',
    draft: {
      taskId: trigger.taskId,
      repository: repository.data,
      trigger: {
        kind: 'github',
        event: trigger.event,
        installationId: payload.installation.id,
        repositoryId: payload.repository.id,
        issueNumber: payload.issue.number,
        onPullRequest: throughApp(payload.issue.pull_request),
        commentId: trigger.commentId,
        triggeredAt: trigger.triggeredAt,
        // GitHub takes titles of 256 and bodies of 65,536 characters.
        issue: {
          title: payload.issue.title.slice(0, 1000),
          body: (payload.issue.body ?? '').slice(0, 70_000),
        },
      },
      requester: { login: requester.login, id: requester.id },
      ask: asked.ask,
      instruction: asked.instruction,
      options: asked.options,
    },
  };
}

function readComment(payload: z.infer<typeof commentEvent>, policy: GithubPolicy): WebhookReading {
  const { comment, sender } = payload;
  if (isSoftware(sender) || isSoftware(comment.user)) return ignored('written by software');
  if (throughApp(comment.performed_via_github_app)) return ignored('written through an app');
  if (comment.user?.id !== sender.id) return ignored('written by somebody else than the sender');
  const mention = parseMention(comment.body ?? '', policy.mention);
  if (mention.kind === 'none') return ignored('no mention');
  const taskId = taskIdFor({
    event: 'issue_comment',
    repositoryId: payload.repository.id,
    commentId: comment.id,
  });
  return draft(
    payload,
    sender,
    { taskId, event: 'issue_comment', commentId: comment.id, triggeredAt: comment.created_at },
    mention,
  );
}

function readOpened(payload: Common, policy: GithubPolicy): WebhookReading {
  const { sender } = payload;
  if (isSoftware(sender) || isSoftware(payload.issue.user)) return ignored('written by software');
  if (throughApp(payload.issue.performed_via_github_app)) return ignored('written through an app');
  if (payload.issue.user?.id !== sender.id) return ignored('written by somebody else than the sender');
  // The body only: a title is often quoted from elsewhere, and a mention in one notifies nobody on GitHub either.
  const mention = parseMention(payload.issue.body ?? '', policy.mention);
  if (mention.kind === 'none') return ignored('no mention');
  const taskId = taskIdFor({
    event: 'issue_opened',
    repositoryId: payload.repository.id,
    issueNumber: payload.issue.number,
  });
  return draft(
    payload,
    sender,
    { taskId, event: 'issue_opened', commentId: null, triggeredAt: payload.issue.created_at },
    mention,
  );
}

function readLabeled(payload: z.infer<typeof labelEvent>, policy: GithubPolicy): WebhookReading {
  const { sender, label } = payload;
  if (label === undefined || label.name.toLowerCase() !== policy.label) return ignored('another label');
  // Who wrote the issue does not count here, an alert's bot for one: who labels it asks.
  if (isSoftware(sender)) return ignored('labelled by software');
  const key = {
    event: 'issue_labeled',
    repositoryId: payload.repository.id,
    issueNumber: payload.issue.number,
    issueCreatedAt: payload.issue.created_at,
    issueUpdatedAt: payload.issue.updated_at,
    byAuthor: payload.issue.user?.id === sender.id,
  } as const;
  // An issue opened with label and mention: whichever event comes first, the task and its instruction are the same.
  if (cameWithIssue(key)) {
    const opened = readOpened(payload, policy);
    if (opened.kind === 'task') return opened;
  }
  const asked = { ask: { kind: 'run' }, instruction: '', options: {} } as const;
  return draft(
    payload,
    sender,
    {
      taskId: taskIdFor(key),
      event: 'issue_labeled',
      commentId: null,
      triggeredAt: payload.issue.updated_at,
    },
    asked,
  );
}

/** `payload` is verified to be GitHub's, and nothing more is known of it. */
export function readWebhook(eventName: string, payload: unknown, policy: GithubPolicy): WebhookReading {
  const action = actionOf.safeParse(payload);
  const event = action.success ? `${eventName}.${action.data.action}` : eventName;
  if (event === 'issue_comment.created') {
    const parsed = commentEvent.safeParse(payload);
    return parsed.success ? readComment(parsed.data, policy) : unreadable(parsed.error);
  }
  if (event === 'issues.opened') {
    const parsed = issueEvent.safeParse(payload);
    return parsed.success ? readOpened(parsed.data, policy) : unreadable(parsed.error);
  }
  if (event === 'issues.labeled') {
    const parsed = labelEvent.safeParse(payload);
    return parsed.success ? readLabeled(parsed.data, policy) : unreadable(parsed.error);
  }
  return ignored('not an event that starts a task');
}
