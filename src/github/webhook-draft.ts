/** What the readers of webhooks share: GitHub's fields that they parse, and the draft of a task. Pure. */
import * as z from 'zod';
import type { GithubPolicy } from '../core/policy.ts';
import type { PullEnd } from '../core/ledger.ts';
import { repositoryRefSchema, type GithubTrigger, type TaskRequest } from '../core/task.ts';
import { headOf } from '../lib/cut-text.ts';
import type { ReceiptEvent } from './receipt-event.ts';

/** A request without the fields that need a clock or a digest. */
type TaskDraft = Omit<TaskRequest, 'shortId' | 'acceptedAt'>;

export type WebhookReading =
  | { readonly kind: 'task'; readonly draft: TaskDraft }
  | { readonly kind: 'receipt'; readonly event: ReceiptEvent }
  /** A pull request was merged or closed. */
  | { readonly kind: 'pull-end'; readonly end: PullEnd }
  /** `why` is our own text and safe to show. */
  | { readonly kind: 'ignored'; readonly why: string }
  /** An event that can start a task, in an unknown shape. Reported, because a mention may be lost. */
  | { readonly kind: 'unreadable'; readonly where: string };

export const idSchema = z.int().positive();
const account = z.object({ login: z.string().min(1).max(100), id: idSchema, type: z.string() });
/** GitHub writes `2026-11-01T10:00:00Z` and also offsets. */
export const instantSchema = z.iso.datetime({ offset: true });
const viaAppSchema = z.unknown().optional();
const authorSchema = account.nullable();
/** A comment, a line comment or a review. */
export const textSchema = z.object({
  id: idSchema,
  body: z.string().nullish(),
  user: authorSchema,
  performed_via_github_app: viaAppSchema,
});

/** An issue or a pull request. */
export const subjectSchema = z.object({
  number: idSchema,
  title: z.string(),
  body: z.string().nullish(),
  user: authorSchema,
  created_at: instantSchema,
  updated_at: instantSchema,
  pull_request: z.unknown().optional(),
  performed_via_github_app: viaAppSchema,
});
export const commonSchema = z.object({
  sender: account,
  /** Missing if a repository webhook delivers the event instead of the App. */
  installation: z.object({ id: idSchema }).nullish(),
  repository: z.object({ id: idSchema, name: z.string(), owner: z.object({ login: z.string() }) }),
});

type Account = z.infer<typeof account>;

/** Why a text was ignored that people can mention the bot in. */
export const noMention = 'no mention';

export const ignored = (why: string): WebhookReading => ({ kind: 'ignored', why });

export function isSoftware(person: Account | null): boolean {
  return person === null || person.type !== 'User' || person.login.toLowerCase().endsWith('[bot]');
}
export const isSet = (value: unknown): boolean => value !== null && value !== undefined;

/** Why nobody asks with this text; null if its author does. */
export function whyNobodyAsks(
  sender: Account,
  text: { readonly user: Account | null; readonly performed_via_github_app?: unknown },
): string | null {
  if (isSoftware(sender) || isSoftware(text.user)) return 'written by software';
  if (isSet(text.performed_via_github_app)) return 'written through an app';
  return text.user?.id === sender.id ? null : 'written by somebody other than the sender';
}

/** Parses an event's payload, and reads it. */
export function parsed<T extends z.ZodType>(
  schema: T,
  payload: unknown,
  read: (found: z.infer<T>) => WebhookReading,
): WebhookReading {
  const found = schema.safeParse(payload);
  if (found.success) return read(found.data);
  const where = found.error.issues.map((issue) => issue.path.join('.')).slice(0, 5);
  return { kind: 'unreadable', where: where.join(', ') };
}

export function draft(
  payload: z.infer<typeof commonSchema>,
  subject: z.infer<typeof subjectSchema>,
  { mention }: GithubPolicy,
  {
    taskId,
    ...trigger
  }: Omit<GithubTrigger, 'kind' | 'installationId' | 'repositoryId' | 'issueNumber' | 'mention' | 'issue'> & {
    readonly taskId: string;
  },
  { ask, instruction, options }: Pick<TaskDraft, 'ask' | 'instruction' | 'options'>,
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
      taskId,
      repository: repository.data,
      trigger: {
        kind: 'github',
        ...trigger,
        installationId: payload.installation.id,
        repositoryId: payload.repository.id,
        issueNumber: subject.number,
        mention,
        // GitHub allows titles of 256 and bodies of 65,536 characters.
        issue: { title: headOf(subject.title, 1000), body: headOf(subject.body ?? '', 70_000) },
        ...(trigger.comment === undefined ? {} : { comment: headOf(trigger.comment, 70_000) }),
      },
      requester: { login: payload.sender.login, id: payload.sender.id },
      ask,
      instruction,
      options,
    },
  };
}
