/**
 * Turns a verified webhook payload into the task that it asks for, or says why it asks for none. Pure.
 *
 * Only `issue_comment.created`, `issues.opened` and `issues.labeled` start a task. Edits never do, so that
 * nobody can change the words of a comment that was already answered. Whether the person may start a task is
 * decided later, with the collaborator permission API. Whether GitHub displays the mention, and what is
 * asked, is read again later from what GitHub rendered: here no call is made, and the words are a preview.
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
import { repositoryRefSchema, type TaskRequest } from '../core/task.ts';
import { headOf } from '../lib/cut-text.ts';

/** A request without the fields that need a clock or a digest. */
type TaskDraft = Omit<TaskRequest, 'shortId' | 'acceptedAt'>;

export type WebhookReading =
  | { readonly kind: 'task'; readonly draft: TaskDraft }
  /** `why` is our own text and safe to show. */
  | { readonly kind: 'ignored'; readonly why: string }
  /** One of the three events in an unknown shape. Reported, because a mention may be lost. */
  | { readonly kind: 'unreadable'; readonly where: string };

const id = z.int().positive();
const account = z.object({ login: z.string().min(1).max(100), id, type: z.string() });
/** GitHub writes `2026-11-01T10:00:00Z` and also offsets. */
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
  /** Missing if a repository webhook delivers the event instead of the App. */
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

/** Why a text was ignored that people can mention the bot in. */
export const noMention = 'no mention';

const ignored = (why: string): WebhookReading => ({ kind: 'ignored', why });

function isSoftware(person: Account | null): boolean {
  return person === null || person.type !== 'User' || person.login.toLowerCase().endsWith('[bot]');
}
const isSet = (value: unknown): boolean => value !== null && value !== undefined;

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
  { mention }: GithubPolicy,
  requester: Account,
  trigger: Pick<Trigger, 'event' | 'commentId' | 'triggeredAt' | 'comment'> & { readonly taskId: string },
  asked: Pick<TaskDraft, 'ask' | 'instruction' | 'options'>,
): WebhookReading {
  const repository = repositoryRefSchema.safeParse({
    owner: payload.repository.owner.login,
    name: payload.repository.name,
  });
  if (!repository.success) return { kind: 'unreadable', where: 'repository' };
  // Without an installation Airlock cannot answer.
  if (payload.installation === undefined || payload.installation === null) {
    return ignored('delivered by a repository webhook instead of the App');
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
        mention,
        onPullRequest: isSet(payload.issue.pull_request),
        commentId: trigger.commentId,
        triggeredAt: trigger.triggeredAt,
        // GitHub allows titles of 256 and bodies of 65,536 characters.
        issue: {
          title: headOf(payload.issue.title, 1000),
          body: headOf(payload.issue.body ?? '', 70_000),
        },
        ...(trigger.comment === undefined ? {} : { comment: headOf(trigger.comment, 70_000) }),
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
  if (isSet(comment.performed_via_github_app)) return ignored('written through an app');
  if (comment.user?.id !== sender.id) return ignored('written by somebody other than the sender');
  const mention = parseMention(comment.body ?? '', policy.mention);
  if (mention.kind === 'none') return ignored(noMention);
  const taskId = taskIdFor({
    event: 'issue_comment',
    repositoryId: payload.repository.id,
    commentId: comment.id,
  });
  return draft(
    payload,
    policy,
    sender,
    {
      taskId,
      event: 'issue_comment',
      commentId: comment.id,
      triggeredAt: comment.created_at,
      comment: comment.body ?? '',
    },
    mention,
  );
}

function readOpened(payload: Common, policy: GithubPolicy): WebhookReading {
  const { sender } = payload;
  if (isSoftware(sender) || isSoftware(payload.issue.user)) return ignored('written by software');
  if (isSet(payload.issue.performed_via_github_app)) return ignored('written through an app');
  if (payload.issue.user?.id !== sender.id) return ignored('written by somebody other than the sender');
  // Reads the body only: titles are often quoted, and a mention in a title notifies nobody on GitHub either.
  const mention = parseMention(payload.issue.body ?? '', policy.mention, 'asks-the-rest');
  if (mention.kind === 'none') return ignored(noMention);
  const taskId = taskIdFor({
    event: 'issue_opened',
    repositoryId: payload.repository.id,
    issueNumber: payload.issue.number,
  });
  return draft(
    payload,
    policy,
    sender,
    { taskId, event: 'issue_opened', commentId: null, triggeredAt: payload.issue.created_at },
    mention,
  );
}

function readLabeled(payload: z.infer<typeof labelEvent>, policy: GithubPolicy): WebhookReading {
  const { sender, label } = payload;
  if (label === undefined || label.name.toLowerCase() !== policy.label) return ignored('another label');
  // The author does not matter here and may be a bot, such as an alert: the person who labels the issue asks.
  if (isSoftware(sender)) return ignored('labeled by software');
  const key = {
    event: 'issue_labeled',
    repositoryId: payload.repository.id,
    issueNumber: payload.issue.number,
    issueCreatedAt: payload.issue.created_at,
    issueUpdatedAt: payload.issue.updated_at,
    byAuthor: payload.issue.user?.id === sender.id,
  } as const;
  // An issue opened with a label and a mention causes two events. Both lead to the same task and instruction.
  if (cameWithIssue(key)) {
    const opened = readOpened(payload, policy);
    if (opened.kind === 'task') return opened;
  }
  const asked = { ask: { kind: 'run' }, instruction: '', options: {} } as const;
  return draft(
    payload,
    policy,
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

/** `payload` is verified to be from GitHub but not yet parsed. */
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
