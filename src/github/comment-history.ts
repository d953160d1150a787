/** Reads the comments of an issue or pull request, up to a cap that keeps the newest. Selects nothing. */
import * as z from 'zod';
import type { RepositoryFacts } from '../core/task.ts';
import type { GithubClient } from './client.ts';
import { bodySchema, withBodyHtml } from './displayed-comment.ts';

export const userSchema = z.object({ login: z.string(), type: z.string() }).nullable();
/** The App that wrote in a person's name, or its own. */
export const viaAppSchema = z.object({ id: z.number().int(), slug: z.string().nullish() }).nullish();
export const commentSchema = bodySchema.extend({
  id: z.number().int(),
  user: userSchema,
  created_at: z.string(),
  updated_at: z.string(),
  performed_via_github_app: viaAppSchema,
});
/** A comment as GitHub returns it. Its text is untrusted. */
export type HistoryComment = z.infer<typeof commentSchema>;

export interface CommentHistory {
  /** Oldest first. */
  readonly comments: readonly HistoryComment[];
  /** Number of older comments that were not read, in whole pages: at most 99 too many. */
  readonly notRead: number;
}

/** `issues`: an issue's or pull request's conversation. `pulls`: the line comments of its diff. */
export type Conversation = 'issues' | 'pulls';

/** GitHub lists the oldest first, at most 100 per page. Only the first answer names the last page. */
const pageSize = 100;

/** `since` leaves out comments not created or edited after it. `body_html` is empty unless asked for. */
export async function commentHistory(
  client: GithubClient,
  facts: RepositoryFacts,
  issueNumber: number,
  options: {
    readonly of?: Conversation;
    readonly maxPages: number;
    readonly since?: string;
    readonly html?: boolean;
  },
): Promise<CommentHistory> {
  const page = async (number: number) => {
    const asked = {
      owner: facts.owner,
      repo: facts.name,
      per_page: pageSize,
      page: number,
      ...(options.since === undefined ? {} : { since: options.since }),
      ...(options.html === true ? { headers: withBodyHtml } : {}),
    };
    const { data, headers }: { data: unknown; headers: { link?: string } } =
      options.of === 'pulls'
        ? await client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/comments', {
            ...asked,
            pull_number: issueNumber,
          })
        : await client.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
            ...asked,
            issue_number: issueNumber,
          });
    return { comments: z.array(commentSchema).parse(data), link: headers.link };
  };
  const first = await page(1);
  const last = lastPage(first.link);
  if (last === 1) return { comments: first.comments, notRead: 0 };
  const from = Math.max(2, last - options.maxPages + 1);
  const numbers = Array.from({ length: last - from + 1 }, (_, index) => from + index);
  const later = (await Promise.all(numbers.map(page))).flatMap(({ comments }) => comments);
  // Keep the first page too if no page between was skipped.
  const comments = from === 2 && last <= options.maxPages ? [...first.comments, ...later] : later;
  return { comments, notRead: comments.length === later.length ? (from - 1) * pageSize : 0 };
}

/** Returns the page number of `rel="last"`; 1 if there is only one page. */
function lastPage(link: string | undefined): number {
  for (const part of (link ?? '').split(',')) {
    if (!/;\s*rel="last"/.test(part)) continue;
    return Number(/[?&]page=(\d+)/.exec(part)?.[1] ?? 1);
  }
  return 1;
}
