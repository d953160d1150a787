/**
 * Creates, finds and edits a task's sticky comment, its replies to line comments, and the comment that
 * reports its commit on a pull request that it continues. The caller supplies the text.
 *
 * A comment belongs to a task if this App wrote it and its last line is the task's marker. A marker that
 * somebody else wrote, or inside quoted text, does not count.
 */
import { finalReason } from '../core/ports/upstream-error.ts';
import type { Reason, RepositoryFacts } from '../core/task.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { commentHistory, commentSchema, type Conversation, type HistoryComment } from './comment-history.ts';
import { headOf } from '../lib/cut-text.ts';

const markerAtEnd = /(<!-- airlock:(?:task|result|end|reply)=[a-z0-9][a-z0-9-]{0,90} -->)\s*$/;
/** GitHub's limit for a comment, in characters. */
const maxCommentCharacters = 65_536;

export function taskMarker(taskId: string): string {
  return `<!-- airlock:task=${taskId} -->`;
}

/** Differs from `taskMarker`, because one conversation may hold both comments. */
export function resultMarker(taskId: string): string {
  return `<!-- airlock:result=${taskId} -->`;
}

/** Each publication attempt (0: the task itself) has an end of its own. */
export function endMarker(taskId: string, attempt: number): string {
  return `<!-- airlock:end=${taskId}-${attempt} -->`;
}

/** Each line comment that the task answers has a reply of its own. */
function replyMarker(taskId: string, lineCommentId: number): string {
  return `<!-- airlock:reply=${taskId}-${lineCommentId} -->`;
}

/** GitHub names the App that wrote a comment, but not for line comments: there it is the App's account. */
function ownMarker(
  { user, performed_via_github_app: app, body }: HistoryComment,
  place: Place,
): string | null {
  const isOurs = place.thread === null ? app?.id === place.appId : user?.login === place.thread.bot;
  return user?.type === 'Bot' && isOurs ? (markerAtEnd.exec(body)?.[1] ?? null) : null;
}

/** Appends the marker, so that no quoted text can be mistaken for it. */
function markedBody(markdown: string, marker: string): string {
  const text = markdown.replaceAll(marker, '').trimEnd();
  return `${headOf(text, maxCommentCharacters - marker.length - 2)}\n\n${marker}`;
}

interface Place {
  readonly client: GithubClient;
  readonly appId: number;
  readonly facts: RepositoryFacts;
  /** Of the issue or pull request. */
  readonly issueNumber: number;
  /** ISO 8601. The comment cannot be older than the trigger. */
  readonly since: string;
  /** null: the conversation. Else the first comment of a thread in the diff, and the App's account. */
  readonly thread: { readonly root: number; readonly bot: string } | null;
}

export interface StickyPlace extends Place {
  /** One of the task's markers. */
  readonly marker: string;
}

/** The calls for comments of a conversation, and for line comments. */
const calls = {
  issues: {
    edit: 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
    remove: 'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}',
  },
  pulls: {
    edit: 'PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}',
    remove: 'DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}',
  },
} as const satisfies Record<Conversation, unknown>;
const conversationOf = ({ thread }: Place): Conversation => (thread === null ? 'issues' : 'pulls');

/**
 * Overlapping attempts leave one comment: each lists again and deletes all but the lowest id. That includes
 * the comments of other attempts, which may have crashed.
 */
export async function saveStickyComment(
  place: StickyPlace,
  markdown: string,
  knownId: number | null,
): Promise<number> {
  const body = markedBody(markdown, place.marker);
  if (knownId !== null && (await edit(place, knownId, body))) return knownId;
  const [found, ...others] = await ownCommentIds(place);
  if (found !== undefined && (await edit(place, found, body))) {
    await removeAll(place, others);
    return found;
  }
  const id = await create(place, body);
  return await keepLowest(place, [id, ...(await ownCommentIds(place))]);
}

/** Returns the id that stays. A new comment can be missing from the list. */
async function keepLowest(place: Place, ids: readonly number[]): Promise<number> {
  const lowest = Math.min(...ids);
  await removeAll(place, new Set(ids.filter((id) => id !== lowest)));
  return lowest;
}

export interface LineReply {
  /** The line comment that it answers, and the first comment of its thread. */
  readonly id: number;
  readonly root: number;
  readonly markdown: string;
}

/**
 * Replies to each line comment once, in its thread. Overlapping attempts list again and delete duplicates, as
 * `saveStickyComment` does. Returns the line comments that take no reply. Rejects on transient errors.
 */
export async function saveLineReplies(
  { bot, ...place }: Omit<Place, 'thread'> & { readonly bot: string },
  taskId: string,
  replies: readonly LineReply[],
): Promise<readonly { readonly id: number; readonly reason: Reason }[]> {
  const refused: { id: number; reason: Reason }[] = [];
  const created: { readonly marker: string; readonly id: number }[] = [];
  const inThread = (root: number): Place => ({ ...place, thread: { root, bot } });
  const list = async () => await ownComments(inThread(0));
  const before = await list();
  for (const { id, root, markdown } of replies) {
    const marker = replyMarker(taskId, id);
    if (before.has(marker)) continue;
    try {
      created.push({ marker, id: await create(inThread(root), markedBody(markdown, marker)) });
    } catch (error) {
      const reason = finalReason(error);
      if (reason === null) throw error;
      refused.push({ id, reason });
    }
  }
  const after = created.length === 0 ? before : await list();
  for (const marker of new Set(replies.map(({ id }) => replyMarker(taskId, id)))) {
    const ids = created.flatMap((one) => (one.marker === marker ? [one.id] : []));
    const all = [...ids, ...(after.get(marker) ?? [])];
    if (all.length > 0) await keepLowest(inThread(0), all);
  }
  return refused;
}

/** Returns the id of the new comment. */
async function create(place: Place, body: string): Promise<number> {
  const { client, issueNumber, thread } = place;
  const { data } =
    thread === null
      ? await client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
          ...repositoryOf(place),
          issue_number: issueNumber,
          body,
        })
      : await client.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies', {
          ...repositoryOf(place),
          pull_number: issueNumber,
          comment_id: thread.root,
          body,
        });
  return commentSchema.parse(data).id;
}

/** Returns false if somebody has deleted the comment. */
async function edit(place: Place, id: number, body: string): Promise<boolean> {
  const at = { ...repositoryOf(place), comment_id: id, body };
  const done = await unlessMissing<unknown>(place.client.request(calls[conversationOf(place)].edit, at));
  return done !== null;
}

async function removeAll(place: Place, ids: Iterable<number>): Promise<void> {
  for (const id of ids) {
    const at = { ...repositoryOf(place), comment_id: id };
    await unlessMissing<unknown>(place.client.request(calls[conversationOf(place)].remove, at));
  }
}

/** Subtracts a margin, because the trigger is rounded. The margin only makes the list longer. */
function shortlyBefore(instant: string): string {
  return `${new Date(Date.parse(instant) - 60_000).toISOString().slice(0, 19)}Z`;
}

/** The ids of this App's comments by marker, lowest first. Ids grow, so the lowest is the oldest. */
async function ownComments(place: Place): Promise<ReadonlyMap<string, readonly number[]>> {
  const { comments } = await commentHistory(place.client, place.facts, place.issueNumber, {
    of: conversationOf(place),
    maxPages: 10,
    since: shortlyBefore(place.since),
  });
  const found = new Map<string, number[]>();
  for (const comment of comments.toSorted((one, other) => one.id - other.id)) {
    const marker = ownMarker(comment, place);
    if (marker !== null && found.get(marker)?.push(comment.id) === undefined) found.set(marker, [comment.id]);
  }
  return found;
}

async function ownCommentIds(place: StickyPlace): Promise<readonly number[]> {
  return (await ownComments(place)).get(place.marker) ?? [];
}

function repositoryOf({ facts }: Place): { owner: string; repo: string } {
  return { owner: facts.owner, repo: facts.name };
}
