/**
 * Reads the conversation that a task was asked in, and who of its authors may write. Which of it is handed to Codex
 * is `context.ts`'s question.
 */
import * as z from 'zod';
import type { IssueContext } from '../core/ask/context.ts';
import type { RepositoryFacts, TaskRequest } from '../core/task.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { commentHistory, userSchema } from './comment-history.ts';
import { selectContext } from './context.ts';

const issueSchema = z.object({
  number: z.number().int(),
  title: z.string(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ''),
  user: userSchema,
  created_at: z.string(),
  updated_at: z.string(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string().nullish() })])),
});

/** The newest 300 comments are read, and the newest 50 people in them asked about; the rest counts as left out. */
const maxPages = 3;
const maxAuthors = 50;
const asksAtOnce = 8;

type GithubTrigger = Extract<TaskRequest['trigger'], { kind: 'github' }>;

/** null when the issue is gone. */
export async function readIssueContext(deps: {
  readonly client: GithubClient;
  readonly appId: number;
  readonly facts: RepositoryFacts;
  readonly trigger: GithubTrigger;
  readonly canWrite: (facts: RepositoryFacts, login: string) => Promise<boolean>;
}): Promise<IssueContext | null> {
  const { client, facts, trigger, canWrite } = deps;
  const [found, history] = await Promise.all([
    unlessMissing(
      client.request('GET /repos/{owner}/{repo}/issues/{issue_number}', {
        owner: facts.owner,
        repo: facts.name,
        issue_number: trigger.issueNumber,
      }),
    ),
    unlessMissing(commentHistory(client, facts, trigger.issueNumber, { maxPages })),
  ]);
  if (found === null || history === null) return null;
  const issue = issueSchema.parse(found.data);
  // Of what came or was edited after the trigger nothing is used, so nobody has to be asked about it.
  const triggeredAt = Date.parse(trigger.triggeredAt);
  const standing = history.comments.filter((comment) => Date.parse(comment.updated_at) <= triggeredAt);
  const authors = [issue, ...standing.toReversed()].flatMap(({ user }) =>
    user?.type === 'User' ? [user.login] : [],
  );
  const asked = [...new Set(authors)].slice(0, maxAuthors);
  const answers = await boundedAll(asked, asksAtOnce, async (login) => await canWrite(facts, login));
  const writers = new Set(asked.filter((_, index) => answers[index] === true));
  return selectContext({
    issue,
    comments: history.comments,
    writers,
    trigger,
    appId: deps.appId,
    notRead: history.notRead,
  });
}
