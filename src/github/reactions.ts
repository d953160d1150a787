/** Sets the App's reaction on what asked for a task: 👀 while it runs, then 🚀 or 😕 in its place. */
import * as z from 'zod';
import type { Reaction } from '../core/ports/code-host.ts';
import type { RepositoryFacts, TaskRequest } from '../core/task.ts';
import { unlessMissing, type GithubClient } from './client.ts';

const listSchema = z.array(
  z.object({ id: z.number().int(), content: z.string(), user: z.object({ login: z.string() }).nullable() }),
);
/** The reactions that this file sets, and replaces. */
const ours: readonly string[] = ['eyes', 'rocket', 'confused'] satisfies readonly Reaction[];

interface Place {
  readonly client: GithubClient;
  /** The login of the App's account. */
  readonly bot: () => Promise<string>;
  readonly facts: RepositoryFacts;
  readonly trigger: Extract<TaskRequest['trigger'], { kind: 'github' }>;
}

/** Idempotent: GitHub answers 200 if the reaction exists, and a missing one need not be removed. */
export async function setReaction({ client, bot, facts, trigger }: Place, content: Reaction): Promise<void> {
  const { issueNumber, commentId, event } = trigger;
  const at = { owner: facts.owner, repo: facts.name };
  // A review takes no reaction over REST, so its pull request gets it.
  const of = commentId === null ? `${issueNumber}` : `comments/${commentId}`;
  const path = `/repos/{owner}/{repo}/${event === 'review_comment' ? 'pulls' : 'issues'}/${of}/reactions`;
  await client.request(`POST ${path}`, { ...at, content });
  // The first one has nothing to replace.
  if (content === 'eyes') return;
  const listed: { data: unknown } = await client.request(`GET ${path}`, { ...at, per_page: 100 });
  const login = await bot();
  const old = listSchema
    .parse(listed.data)
    .filter((one) => one.user?.login === login && one.content !== content && ours.includes(one.content));
  for (const { id } of old) await unlessMissing<unknown>(client.request(`DELETE ${path}/${id}`, at));
}
