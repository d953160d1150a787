/**
 * Reads an issue's comments: all of them up to a cap, the newest kept. Decides nothing about who may be heard.
 */
import * as z from 'zod';
import type { RepositoryFacts } from '../core/task.ts';
import type { GithubClient } from './client.ts';

export const userSchema = z.object({ login: z.string(), type: z.string() }).nullable();
export const commentSchema = z.object({
  id: z.number().int(),
  user: userSchema,
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ''),
  created_at: z.string(),
  updated_at: z.string(),
  performed_via_github_app: z.object({ id: z.number().int() }).nullish(),
});
/** One comment as GitHub tells it; the text is untrusted. */
export type HistoryComment = z.infer<typeof commentSchema>;

export interface CommentHistory {
  /** Oldest first. */
  readonly comments: readonly HistoryComment[];
  /** Older comments that were not read; a multiple of a page, so at most 99 too many. */
  readonly notRead: number;
}

/** GitHub lists them oldest first and 100 a page at most; the last pages are known only from the first answer. */
const pageSize = 100;

/** `since` leaves out what was not touched after that instant, ISO 8601. */
export async function commentHistory(
  client: GithubClient,
  facts: RepositoryFacts,
  issueNumber: number,
  options: { readonly maxPages: number; readonly since?: string },
): Promise<CommentHistory> {
  const page = async (number: number) => {
    const { data, headers } = await client.request(
      'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
      {
        owner: facts.owner,
        repo: facts.name,
        issue_number: issueNumber,
        per_page: pageSize,
        page: number,
        ...(options.since === undefined ? {} : { since: options.since }),
      },
    );
    return { comments: z.array(commentSchema).parse(data), link: headers.link };
  };
  const first = await page(1);
  const last = lastPage(first.link);
  if (last === 1) return { comments: first.comments, notRead: 0 };
  const from = Math.max(2, last - options.maxPages + 1);
  const numbers = Array.from({ length: last - from + 1 }, (_, index) => from + index);
  const later = (await Promise.all(numbers.map(page))).flatMap(({ comments }) => comments);
  // The first page is at hand anyway, and belongs to what is kept if nothing lies between.
  const comments = from === 2 && last <= options.maxPages ? [...first.comments, ...later] : later;
  return { comments, notRead: comments.length === later.length ? (from - 1) * pageSize : 0 };
}

/** The page number of `rel="last"`; 1 when everything came at once. */
function lastPage(link: string | undefined): number {
  for (const part of (link ?? '').split(',')) {
    if (!/;\s*rel="last"/.test(part)) continue;
    return Number(/[?&]page=(\d+)/.exec(part)?.[1] ?? 1);
  }
  return 1;
}
