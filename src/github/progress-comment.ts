/**
 * The one sticky comment of a task, and the one that reports its commit on an existing pull request: created once, found
 * again, edited. What they say is the caller's.
 *
 * A comment is the task's when this App wrote it and its last line is the task's marker: a marker that somebody else
 * wrote, or that stands inside quoted text, names nothing.
 */
import type { RepositoryFacts } from '../core/task.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { commentHistory, commentSchema, type HistoryComment } from './comment-history.ts';

const markerAtEnd = /(<!-- airlock:(task|result)=([a-z0-9][a-z0-9-]{0,62}) -->)\s*$/;
/** GitHub's limit for a comment, in characters. */
const maxCommentCharacters = 65_536;

export function taskMarker(taskId: string): string {
  return `<!-- airlock:task=${taskId} -->`;
}

/** Another than the task's: both may stand in one conversation, and neither may overwrite the other. */
export function resultMarker(taskId: string): string {
  return `<!-- airlock:result=${taskId} -->`;
}

/** The task whose sticky comment this is; null for everything else. */
export function markedTask(comment: HistoryComment, appId: number): string | null {
  const found = ownMarker(comment, appId);
  return found?.[2] === 'task' ? (found[3] ?? null) : null;
}

function ownMarker(comment: HistoryComment, appId: number): RegExpExecArray | null {
  if (comment.user?.type !== 'Bot' || comment.performed_via_github_app?.id !== appId) return null;
  return markerAtEnd.exec(comment.body);
}

/** Puts the marker at the end, where nothing that the text quotes can be mistaken for it. */
function markedBody(markdown: string, marker: string): string {
  const text = markdown.replaceAll(marker, '').trimEnd();
  return `${text.slice(0, maxCommentCharacters - marker.length - 2)}\n\n${marker}`;
}

export interface StickyPlace {
  readonly client: GithubClient;
  readonly appId: number;
  readonly facts: RepositoryFacts;
  readonly issueNumber: number;
  /** `taskMarker` or `resultMarker` of the task. */
  readonly marker: string;
  /** ISO 8601: the comment cannot be older than what triggered the task. */
  readonly since: string;
}

/**
 * Writes the comment and returns its id. Attempts that overlap end in one comment: each looks again after it has
 * created its own, the lowest id stays, and whoever has another deletes that one.
 */
export async function saveSticky(
  place: StickyPlace,
  markdown: string,
  knownId: number | null,
): Promise<number> {
  const body = markedBody(markdown, place.marker);
  if (knownId !== null && (await edit(place, knownId, body))) return knownId;
  const [found] = await ours(place);
  if (found !== undefined && (await edit(place, found, body))) return found;
  const { data } = await place.client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    ...repositoryOf(place),
    issue_number: place.issueNumber,
    body,
  });
  const { id } = commentSchema.parse(data);
  const [first = id] = await ours(place);
  if (first >= id) return id;
  await unlessMissing(
    place.client.request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      ...repositoryOf(place),
      comment_id: id,
    }),
  );
  return first;
}

/** False when somebody has deleted the comment. */
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

/** Whole seconds and a rounded trigger: a margin costs nothing but a longer list. */
function shortlyBefore(instant: string): string {
  return `${new Date(Date.parse(instant) - 60_000).toISOString().slice(0, 19)}Z`;
}

/** Ids of the task's comments, lowest first: ids grow, so the lowest is the oldest. */
async function ours(place: StickyPlace): Promise<readonly number[]> {
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
