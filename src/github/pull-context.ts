/** Reads a pull request's diff, reviews and line comments. `review-threads.ts` selects what Codex gets. */
import * as z from 'zod';
import type { PullContext } from '../core/ask/pull-context.ts';
import type { PullPlace } from '../core/authorization.ts';
import type { RepositoryFacts, TaskRequest } from '../core/task.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { attachmentRefs } from './attachments.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { userSchema } from './comment-history.ts';
import { bodySchema, displayDelivered, withBodyHtml, type HtmlReader } from './displayed-comment.ts';
import { comparisonSchema, selectChanges } from './pull-changes.ts';
import { selectReviews } from './review-threads.ts';

const lineCommentSchema = bodySchema.extend({
  id: z.number().int().positive(),
  pull_request_review_id: z.number().int().nullable(),
  in_reply_to_id: z.number().int().positive().optional(),
  user: userSchema,
  created_at: z.string(),
  updated_at: z.string(),
  path: z.string(),
  line: z.number().int().nullish(),
  original_line: z.number().int().nullish(),
  start_line: z.number().int().nullish(),
  original_start_line: z.number().int().nullish(),
  side: z.string().nullish(),
  diff_hunk: z.string(),
});
const reviewSchema = bodySchema.extend({
  id: z.number().int().positive(),
  user: userSchema,
  /** null: a draft that only its author sees. */
  submitted_at: z.string().nullish(),
});

const pageSize = 100;
/** Reads the newest 300 line comments and 300 reviews, and asks about 50 authors. */
const maxPages = 3;
const maxAuthors = 50;
const asksAtOnce = 8;

export async function readPullContext(deps: {
  /** Reads code; the other one reads the conversation. */
  readonly code: GithubClient;
  readonly client: GithubClient;
  readonly reader: HtmlReader;
  readonly facts: RepositoryFacts;
  readonly request: TaskRequest;
  readonly trigger: Extract<TaskRequest['trigger'], { kind: 'github' }>;
  readonly pull: PullPlace;
  readonly canWrite: (facts: RepositoryFacts, login: string) => Promise<boolean>;
  /** The login of the App's account, whose own words are left out in silence. */
  readonly bot: () => Promise<string>;
}): Promise<{ readonly pull: PullContext; readonly attachments: ReturnType<typeof attachmentRefs> }> {
  const { client, reader, facts, request, trigger, pull, canWrite } = deps;
  const at = { owner: facts.owner, repo: facts.name, pull_number: pull.number, headers: withBodyHtml };
  const [comparison, comments, submitted] = await Promise.all([
    // By commits, because the branches can have moved since.
    unlessMissing(
      deps.code.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
        owner: facts.owner,
        repo: facts.name,
        basehead: `${pull.baseSha}...${pull.headSha}`,
        per_page: pageSize,
      }),
    ),
    lineComments(client, at),
    reviewsOf(client, at),
  ]);
  const isBot = ({ user }: { readonly user: z.infer<typeof userSchema> }): boolean => user?.type === 'Bot';
  // A line comment's API does not name the App that wrote it.
  const bot = [...comments.list, ...submitted.list].some(isBot) ? await deps.bot() : null;
  const isOthers = (one: { readonly user: z.infer<typeof userSchema> }): boolean =>
    !isBot(one) || one.user?.login !== bot;
  const all = comments.list.filter(isOthers);
  const reviews = submitted.list
    .filter(isOthers)
    .filter(({ body, submitted_at: time }) => body.trim() !== '' && time != null);
  const authors = [...reviews, ...all].flatMap(({ user }) =>
    user?.type === 'User' ? [user.login.toLowerCase()] : [],
  );
  const asked = [...new Set(authors)].slice(-maxAuthors);
  const answers = await boundedAll(asked, asksAtOnce, async (login) => await canWrite(facts, login));
  const asks = (kind: 'review' | 'review_comment', id: number): boolean =>
    trigger.event === kind && (kind === 'review' ? trigger.reviewId : trigger.commentId) === id;
  const show =
    (kind: 'review' | 'review_comment') =>
    async <Item extends z.infer<typeof bodySchema> & { readonly id: number }>(one: Item) => {
      // What asks is shown as it was delivered.
      const delivered = asks(kind, one.id) ? (trigger.comment ?? one.body) : one.body;
      const renderer = { ...reader, client, repository: facts };
      const { text: shown, attachments } = await displayDelivered(delivered, one, renderer);
      return { ...one, shown, attachments };
    };
  const writers = new Set(asked.filter((_, index) => answers[index] === true));
  const [shownReviews, shownComments] = await Promise.all([
    Promise.all(
      reviews.map(async (one) => {
        const at = one.submitted_at ?? '';
        return await show('review')({ ...one, created_at: at, updated_at: at });
      }),
    ),
    Promise.all(all.map(show('review_comment'))),
  ]);
  const selected = selectReviews({
    reviews: shownReviews,
    comments: shownComments,
    writers,
    requester: request.requester,
    trigger,
    notRead: comments.notRead + submitted.notRead,
  });
  const { baseBranch, headRef, fork } = pull;
  const changes = comparison === null ? null : selectChanges(comparisonSchema.parse(comparison.data));
  const isRead = new Map(
    selected.threads.flatMap((thread) => thread.comments.map(({ id, asks: own }) => [id, own] as const)),
  );
  const triggeredAt = Date.parse(trigger.triggeredAt);
  const attachments = [
    ...shownReviews.toReversed().flatMap(({ id, user, created_at: at, attachments: shown }) => {
      const own = asks('review', id);
      const by = user?.login ?? 'ghost';
      const counts = own || (writers.has(by.toLowerCase()) && Date.parse(at) <= triggeredAt);
      return counts ? attachmentRefs(shown, { kind: 'review', id, pull: pull.number }, { by, own, at }) : [];
    }),
    ...shownComments.toReversed().flatMap(({ id, user, created_at: at, attachments: shown }) => {
      const own = isRead.get(id);
      if (own === undefined) return [];
      return attachmentRefs(shown, { kind: 'review_comment', id }, { by: user?.login ?? 'ghost', own, at });
    }),
  ];
  return { pull: { baseBranch, headRef, fork, changes, ...selected }, attachments };
}

type Read<Item> = { readonly list: readonly Item[]; readonly notRead: number };
interface Place {
  readonly owner: string;
  readonly repo: string;
  readonly pull_number: number;
}

const lastPageIn = (link: string | undefined, page: number): number =>
  Number(/[?&]page=(\d+)[^>]*>;\s*rel="last"/.exec(link ?? '')?.[1] ?? page);

/** Oldest first: the first page and the last two, because GitHub lists them in this order alone. */
async function reviewsOf(client: GithubClient, at: Place): Promise<Read<z.infer<typeof reviewSchema>>> {
  const asked = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews';
  const page = async (number: number) =>
    await unlessMissing(client.request(asked, { ...at, per_page: pageSize, page: number }));
  const first = await page(1);
  const last = lastPageIn(first?.headers.link, 1);
  const more = await Promise.all([last - 1, last].filter((number) => number > 1).map(page));
  const list = [first, ...more].flatMap((found) => z.array(reviewSchema).parse(found?.data ?? []));
  return { list, notRead: Math.max(0, last - maxPages) * pageSize };
}

/** Oldest first, the newest ones. `notRead` is whole pages: at most 99 too many. */
async function lineComments(
  client: GithubClient,
  at: Place,
): Promise<Read<z.infer<typeof lineCommentSchema>>> {
  const list: z.infer<typeof lineCommentSchema>[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const asked = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments';
    const order = { sort: 'created', direction: 'desc', per_page: pageSize, page } as const;
    const found = await unlessMissing(client.request(asked, { ...at, ...order }));
    if (found === null) break;
    const { data, headers } = found;
    list.push(...z.array(lineCommentSchema).parse(data));
    const last = lastPageIn(headers.link, page);
    if (last <= page) return { list: list.toReversed(), notRead: 0 };
    if (page === maxPages) return { list: list.toReversed(), notRead: (last - page) * pageSize };
  }
  return { list: list.toReversed(), notRead: 0 };
}
