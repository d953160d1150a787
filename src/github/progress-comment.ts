/**
 * Creates, finds and edits a task's sticky comment, and the comment that reports its commit on an existing
 * pull request. The caller supplies the text.
 *
 * A comment belongs to a task if this App wrote it and its last line is the task's marker. A marker that
 * somebody else wrote, or inside quoted text, does not count.
 */
import type { RepositoryFacts } from '../core/task.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { commentHistory, commentSchema, type HistoryComment } from './comment-history.ts';
import { headOf } from '../lib/cut-text.ts';

const markerAtEnd = /(<!-- airlock:(task|result|end)=([a-z0-9][a-z0-9-]{0,70}) -->)\s*$/;
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

function ownMarker(comment: HistoryComment, appId: number): RegExpExecArray | null {
  if (comment.user?.type !== 'Bot' || comment.performed_via_github_app?.id !== appId) return null;
  return markerAtEnd.exec(comment.body);
}

/** Appends the marker, so that no quoted text can be mistaken for it. */
function markedBody(markdown: string, marker: string): string {
  const text = markdown.replaceAll(marker, '').trimEnd();
  return `${headOf(text, maxCommentCharacters - marker.length - 2)}\n\n${marker}`;
}

export interface StickyPlace {
  readonly client: GithubClient;
  readonly appId: number;
  readonly facts: RepositoryFacts;
  readonly issueNumber: number;
  /** `taskMarker` or `resultMarker` of the task. */
  readonly marker: string;
  /** ISO 8601. The comment cannot be older than the trigger. */
  readonly since: string;
}

/** Overlapping attempts leave one comment: each lists again and deletes its own unless its id is lowest. */
export async function saveStickyComment(
  place: StickyPlace,
  markdown: string,
  knownId: number | null,
): Promise<number> {
  const body = markedBody(markdown, place.marker);
  if (knownId !== null && (await edit(place, knownId, body))) return knownId;
  const [found] = await ownCommentIds(place);
  if (found !== undefined && (await edit(place, found, body))) return found;
  const { data } = await place.client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    ...repositoryOf(place),
    issue_number: place.issueNumber,
    body,
  });
  const { id } = commentSchema.parse(data);
  const [first = id] = await ownCommentIds(place);
  if (first >= id) return id;
  await unlessMissing(
    place.client.request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      ...repositoryOf(place),
      comment_id: id,
    }),
  );
  return first;
}

/** Returns false if somebody has deleted the comment. */
async function edit(place: StickyPlace, id: number, body: string): Promise<boolean> {
  const done = await unlessMissing(
    place.client.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      ...repositoryOf(place),
      comment_id: id,
      body,
    }),
  );
  return done !== null;
}

/** Subtracts a margin, because the trigger is rounded. The margin only makes the list longer. */
function shortlyBefore(instant: string): string {
  return `${new Date(Date.parse(instant) - 60_000).toISOString().slice(0, 19)}Z`;
}

/** Lists the ids of the task's comments, lowest first. Ids grow, so the lowest is the oldest. */
async function ownCommentIds(place: StickyPlace): Promise<readonly number[]> {
  const { comments } = await commentHistory(place.client, place.facts, place.issueNumber, {
    maxPages: 10,
    since: shortlyBefore(place.since),
  });
  return comments
    .filter((comment) => ownMarker(comment, place.appId)?.[1] === place.marker)
    .map((comment) => comment.id)
    .toSorted((one, other) => one - other);
}

function repositoryOf({ facts }: StickyPlace): { owner: string; repo: string } {
  return { owner: facts.owner, repo: facts.name };
}
