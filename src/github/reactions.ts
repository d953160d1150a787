/** Sets the App's reaction on what asked for a task: 👀 while it runs, then 🚀 or 😕 in its place. */
import * as z from 'zod';
import type { Reaction } from '../core/ports/code-host.ts';
import type { RepositoryFacts, TaskRequest } from '../core/task.ts';
import type { BotIdentity } from './bot-identity.ts';
import { unlessMissing, type GithubClient } from './client.ts';

const listSchema = z.array(
  z.object({ id: z.number().int(), content: z.string(), user: z.object({ login: z.string() }).nullable() }),
);
/** The reactions that this file sets, and replaces. */
const ours: readonly string[] = ['eyes', 'rocket', 'confused'] satisfies readonly Reaction[];

interface Place {
  readonly client: GithubClient;
  readonly bot: () => Promise<BotIdentity>;
  readonly facts: RepositoryFacts;
  readonly trigger: Extract<TaskRequest['trigger'], { kind: 'github' }>;
}

/** Idempotent: GitHub answers 200 if the reaction exists, and a missing one need not be removed. */
export async function setReaction(place: Place, content: Reaction): Promise<void> {
  const { client, facts, trigger } = place;
  const at = { owner: facts.owner, repo: facts.name };
  const { issueNumber: issue_number, commentId } = trigger;
  if (commentId === null)
    await client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/reactions', {
      ...at,
      issue_number,
      content,
    });
  else
    await client.request('POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
      ...at,
      comment_id: commentId,
      content,
    });
  // The first one has nothing to replace.
  if (content !== 'eyes') await removeOthers(place, content);
}

async function removeOthers({ client, bot, facts, trigger }: Place, content: Reaction): Promise<void> {
  const at = { owner: facts.owner, repo: facts.name };
  const { issueNumber: issue_number, commentId } = trigger;
  const page = { ...at, per_page: 100 };
  const { data } = await (commentId === null
    ? client.request('GET /repos/{owner}/{repo}/issues/{issue_number}/reactions', { ...page, issue_number })
    : client.request('GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
        ...page,
        comment_id: commentId,
      }));
  const { name } = await bot();
  const old = listSchema
    .parse(data)
    .filter((one) => one.user?.login === name && one.content !== content && ours.includes(one.content));
  for (const { id: reaction_id } of old)
    await unlessMissing<unknown>(
      commentId === null
        ? client.request('DELETE /repos/{owner}/{repo}/issues/{issue_number}/reactions/{reaction_id}', {
            ...at,
            issue_number,
            reaction_id,
          })
        : client.request(
            'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions/{reaction_id}',
            {
              ...at,
              comment_id: commentId,
              reaction_id,
            },
          ),
    );
}
