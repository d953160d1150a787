/** Reads a task's issue and comments, and which authors may write. `context.ts` selects what Codex gets. */
import * as z from 'zod';
import type { IssueContext } from '../core/ask/context.ts';
import type { RepositoryFacts, TaskRequest } from '../core/task.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { commentHistory, userSchema, viaAppSchema, type HistoryComment } from './comment-history.ts';
import type { DisplayedAttachment } from './displayed-attachments.ts';
import { selectContext } from './context.ts';
import { attachmentRefs } from './attachments.ts';
import {
  bodySchema,
  displayDelivered,
  displayPresent,
  withBodyHtml,
  type HtmlReader,
} from './displayed-comment.ts';

const issueSchema = bodySchema.extend({
  number: z.number().int(),
  title: z.string(),
  user: userSchema,
  created_at: z.string(),
  updated_at: z.string(),
  performed_via_github_app: viaAppSchema,
  labels: z.array(z.union([z.string(), z.object({ name: z.string().nullish() })])),
});

/** Reads the newest 300 comments and checks the newest 50 authors in them. The rest counts as left out. */
const maxPages = 3;
const maxAuthors = 50;
const asksAtOnce = 8;

type GithubTrigger = Extract<TaskRequest['trigger'], { kind: 'github' }>;

/** Returns null if the issue is gone. */
export async function readIssueContext(deps: {
  readonly client: GithubClient;
  readonly reader: HtmlReader;
  readonly appId: number;
  readonly facts: RepositoryFacts;
  readonly trigger: GithubTrigger;
  readonly canWrite: (facts: RepositoryFacts, login: string) => Promise<boolean>;
}): Promise<(IssueContext & { readonly attachments: ReturnType<typeof attachmentRefs> }) | null> {
  const { client, reader, facts, trigger, canWrite } = deps;
  const [found, history] = await Promise.all([
    unlessMissing(
      client.request('GET /repos/{owner}/{repo}/issues/{issue_number}', {
        owner: facts.owner,
        repo: facts.name,
        issue_number: trigger.issueNumber,
        headers: withBodyHtml,
      }),
    ),
    unlessMissing(commentHistory(client, facts, trigger.issueNumber, { maxPages, html: true })),
  ]);
  if (found === null || history === null) return null;
  const issue = issueSchema.parse(found.data);
  // Comments created or edited after the trigger are never used, so their authors are not checked.
  const triggeredAt = Date.parse(trigger.triggeredAt);
  const unchanged = history.comments.filter((comment) => Date.parse(comment.updated_at) <= triggeredAt);
  const authors = [issue, ...unchanged.toReversed()].flatMap(({ user }) =>
    user?.type === 'User' ? [user.login] : [],
  );
  const asked = [...new Set(authors)].slice(0, maxAuthors);
  const answers = await boundedAll(asked, asksAtOnce, async (login) => await canWrite(facts, login));
  const writers = new Set(asked.filter((_, index) => answers[index] === true));
  const delivered = trigger.issue?.body ?? issue.body;
  const ofWriters = unchanged.filter(({ user }) => user !== null && writers.has(user.login));
  const renderer = { ...reader, client, repository: facts };
  // Also if it was edited since. Its attachments are those of the delivered text.
  const asking =
    trigger.event === 'issue_comment'
      ? history.comments.find(({ id }) => id === trigger.commentId)
      : undefined;
  const [body, askedWith, ...texts] = await Promise.all([
    displayDelivered(delivered, issue, renderer),
    asking === undefined ? null : displayDelivered(trigger.comment ?? asking.body, asking, renderer),
    ...ofWriters.map(async (comment) => await displayPresent(comment, reader)),
  ]);
  const shown = new Map(ofWriters.map(({ id }, index) => [id, texts[index]?.text ?? '']));
  const context = selectContext({
    issue: { ...issue, shown: body.text },
    comments: history.comments.map((comment) => ({ ...comment, shown: shown.get(comment.id) ?? '' })),
    writers,
    trigger,
    appId: deps.appId,
    notRead: history.notRead,
  });
  const issueBy = { by: context.author, own: context.bodyIsInstruction, at: issue.created_at };
  const inIssue = context.bodyLeftOut ? [] : body.attachments;
  const attachments = [
    ...commentRefs(asking, askedWith?.attachments, true),
    ...attachmentRefs(inIssue, { kind: 'issue', id: issue.number }, issueBy),
    // The newest first, because the last ones can be beyond the limit.
    ...ofWriters
      .map((comment, index) => commentRefs(comment, texts[index]?.attachments))
      .toReversed()
      .flat(),
  ];
  return { ...context, attachments };
}

function commentRefs(
  comment: HistoryComment | undefined,
  shown: readonly DisplayedAttachment[] = [],
  own = false,
): ReturnType<typeof attachmentRefs> {
  if (comment === undefined) return [];
  const by = comment.user?.login ?? 'ghost';
  return attachmentRefs(
    shown,
    { kind: 'issue_comment', id: comment.id },
    { by, own, at: comment.created_at },
  );
}
