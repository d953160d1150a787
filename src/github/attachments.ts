/** Names what is attached to a text on GitHub, and fetches it when Codex is about to start. */
import {
  attachmentLimits,
  type AttachmentAnswer,
  type AttachmentRef,
  type GithubPlace,
} from '../core/attachment.ts';
import { answerOfFetch } from '../core/attachments/fetched.ts';
import type { RepositoryFacts } from '../core/task.ts';
import { headOf } from '../lib/cut-text.ts';
import { fetchFile } from '../lib/fetch-file.ts';
import { attachmentAccess } from './attachment-hosts.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { bodySchema, withBodyHtml } from './displayed-comment.ts';
import { displayedAttachments, type DisplayedAttachment } from './displayed-attachments.ts';
import type { ReadHtml } from './html-events.ts';

type GithubRef = Extract<AttachmentRef, { source: 'github' }>;

/** What a text shows, as references that can be stored. `at`: when it was written, in ISO 8601. */
export function attachmentRefs(
  shown: readonly DisplayedAttachment[],
  place: GithubPlace,
  { by, own = false, at }: { readonly by: string; readonly own?: boolean; readonly at: string },
): readonly GithubRef[] {
  // In the words by which the prompt names its texts.
  const where = own
    ? 'the request'
    : place.kind === 'issue'
      ? `#${place.id}`
      : `${words[place.kind]} of ${at}`;
  const counts = { image: 0, 'small image': 0, video: 0, file: 0 };
  return shown.map(({ kind, key, name }) => {
    counts[kind] += 1;
    const shownAs = name === '' ? `${kind} ${counts[kind]} in ${where}` : name;
    return {
      source: 'github',
      place,
      address: key,
      name: headOf(shownAs, 200),
      by: headOf(by, 100),
      own,
    };
  });
}

const words = {
  issue_comment: 'the comment',
  review_comment: 'the line comment',
  review: 'the review',
} as const;

/** More than the limit, so that those beyond it are named. */
const maxRefs = 2 * attachmentLimits.files;

/** The request's own first, and each address once: a quotation shows the same image again. */
export function distinctRefs(refs: readonly GithubRef[]): readonly GithubRef[] {
  const byAddress = new Map<string, GithubRef>();
  const ownFirst = [...refs.filter(({ own }) => own), ...refs.filter(({ own }) => !own)];
  for (const ref of ownFirst) if (!byAddress.has(ref.address)) byAddress.set(ref.address, ref);
  return [...byAddress.values()].slice(0, maxRefs);
}

export interface AttachmentFetcher {
  readonly client: GithubClient;
  readonly readHtml: ReadHtml;
  readonly facts: RepositoryFacts;
  readonly webUrl: string;
  readonly fetch: typeof fetch;
  /** Reads the repository. For GitHub's own host only. */
  readonly token: () => Promise<string>;
}

const deadlineMs = 30_000;

/** GitHub's signatures are valid for five minutes, so the text is read again for the present one. */
export async function fetchAttachment(ref: GithubRef, deps: AttachmentFetcher): Promise<AttachmentAnswer> {
  const { client, readHtml, facts, webUrl } = deps;
  const key = new URL(ref.address);
  const isUpload = attachmentAccess(key, webUrl) === 'token';
  const html = await bodyHtmlOf(client, facts, ref.place);
  const shown = displayedAttachments(html === null ? [] : await readHtml(html), webUrl);
  const present = shown.find((one) => one.key === ref.address);
  if (present?.kind === 'video') return { kind: 'refused', why: 'is a video' };
  if (present?.kind === 'small image')
    return { kind: 'refused', why: 'is displayed too small for people to see what it shows' };
  // An upload needs no signature. Of the rest only what is still displayed has one.
  if (present === undefined && !isUpload)
    return { kind: 'refused', why: 'is not in its text any more, which was edited' };
  const decide = async (url: URL) => {
    const access = attachmentAccess(url, webUrl);
    if (access === null) return null;
    // A public repository's uploads need no token, and none is sent without need.
    return access === 'token' && facts.private ? { authorization: `Bearer ${await deps.token()}` } : {};
  };
  const bounds = { maxBytes: attachmentLimits.bytes, deadlineMs };
  const address = present?.address ?? ref.address;
  const fetched = await fetchFile(address, decide, deps.fetch, bounds);
  return isUpload && fetched.kind === 'status' && [401, 403, 404].includes(fetched.status)
    ? { kind: 'refused', why: forPeopleOnly }
    : answerOfFetch(fetched, 'GitHub');
}

/** GitHub answers so to tokens that it does not take for uploads. */
const forPeopleOnly = 'is shown by GitHub only to people who are signed in; paste what matters of it as text';

const places = {
  issue: 'GET /repos/{owner}/{repo}/issues/{id}',
  issue_comment: 'GET /repos/{owner}/{repo}/issues/comments/{id}',
  review_comment: 'GET /repos/{owner}/{repo}/pulls/comments/{id}',
  review: 'GET /repos/{owner}/{repo}/pulls/{pull}/reviews/{id}',
} as const satisfies Record<GithubPlace['kind'], string>;

/** Null if the text is gone. */
async function bodyHtmlOf(
  client: GithubClient,
  { owner, name }: RepositoryFacts,
  { kind, id, pull }: GithubPlace,
): Promise<string | null> {
  const at = { owner, repo: name, id, pull, headers: withBodyHtml };
  const found = await unlessMissing(client.request(places[kind], at));
  return found === null ? null : bodySchema.parse(found.data).body_html;
}
