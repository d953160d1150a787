/** Reviews and comments in the diff of a pull request: where a line is, and what a reply belongs to. */
import { differences } from './differences.ts';
import { pullFiles } from './pull-state.ts';
import {
  timestamp,
  type Pull,
  type Repository,
  type Review,
  type ReviewComment,
  type Store,
  type User,
} from './store.ts';

export interface NewLine {
  readonly path: string;
  readonly line: number;
  readonly startLine?: number;
  readonly side?: 'LEFT' | 'RIGHT';
  readonly body: string;
}

/** The hunk up to the line, as GitHub shows it; null if the line is not in the diff. */
function hunkOf(
  patch: string,
  line: number,
  side: 'LEFT' | 'RIGHT',
): { readonly hunk: string; readonly position: number } | null {
  const lines = patch.split('\n');
  let start = 0;
  let [before, after] = [0, 0];
  for (const [position, text] of lines.entries()) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(text);
    if (header !== null) {
      start = position;
      [before, after] = [Number(header[1]), Number(header[2])];
      continue;
    }
    const isBefore = text.startsWith('-') || text.startsWith(' ');
    const isAfter = text.startsWith('+') || text.startsWith(' ');
    if (side === 'LEFT' ? isBefore && before === line : isAfter && after === line)
      return { hunk: lines.slice(start, position + 1).join('\n'), position };
    if (isBefore) before += 1;
    if (isAfter) after += 1;
  }
  return null;
}

/** Adds a review with its comments. Returns null if a line is not part of the diff. */
export async function addReview(
  store: Store,
  repository: Repository,
  pull: Pull,
  wanted: {
    readonly user: User;
    readonly body: string;
    readonly state: Review['state'];
    readonly lines: readonly NewLine[];
  },
): Promise<{ review: Review; comments: readonly ReviewComment[] } | null> {
  const files = await pullFiles(repository, pull);
  const review = newReview(store, pull, wanted);
  const comments: ReviewComment[] = [];
  for (const { path, line, startLine, side = 'RIGHT', body } of wanted.lines) {
    const patch = files.find((file) => file.path === path)?.patch ?? '';
    const found = hunkOf(patch, line, side);
    if (found === null || (startLine !== undefined && hunkOf(patch, startLine, side) === null)) return null;
    comments.push({
      ...newComment(store, review, body),
      path,
      line,
      startLine: startLine ?? null,
      side,
      inReplyTo: null,
      diffHunk: found.hunk,
      position: found.position,
    });
  }
  pull.reviews.push(review);
  pull.reviewComments.push(...comments);
  return { review, comments };
}

/** Adds a reply to the first comment of a thread, in a review of its own. */
export function addReply(
  store: Store,
  pull: Pull,
  to: ReviewComment,
  { user, body }: { readonly user: User; readonly body: string },
): { review: Review; comment: ReviewComment } {
  const review = newReview(store, pull, { user, body: '', state: 'COMMENTED' });
  const comment = { ...to, ...newComment(store, review, body), inReplyTo: to.id, commitId: to.commitId };
  pull.reviews.push(review);
  pull.reviewComments.push(comment);
  return { review, comment };
}

const newReview = (store: Store, pull: Pull, fields: Pick<Review, 'user' | 'body' | 'state'>): Review => ({
  id: store.nextId(),
  user: fields.user,
  body: fields.body,
  state: fields.state,
  submittedAt: timestamp(),
  commitId: pull.headSha,
});

function newComment(store: Store, review: Review, body: string) {
  return {
    id: store.nextId(),
    reviewId: review.id,
    user: review.user,
    createdAt: review.submittedAt,
    updatedAt: review.submittedAt,
    reactions: [],
    versions: [body],
    commitId: review.commitId,
    body,
  };
}

/** Paths that have changed since a commit. GitHub also follows a line through other changes. */
export async function changedSince(
  repository: Repository,
  pull: Pull,
  commit: string,
): Promise<ReadonlySet<string>> {
  if (commit === pull.headSha) return new Set();
  return new Set((await differences(repository.git, commit, pull.headSha)).map(({ path }) => path));
}
