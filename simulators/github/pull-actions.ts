/** User actions on pull requests. Opening one in the repository and reviewing it send their webhooks. */
import type {
  Delivery,
  ForkPull,
  NewPull,
  NewReview,
  RepositoryName,
  ReviewReply,
  SubmittedReview,
} from './contract.ts';
import { commitFiles } from './commit-files.ts';
import { noreplyAddress } from './documents/commit-document.ts';
import { sendEvent } from './events.ts';
import { requireDelivery, requireRepository } from './user-actions.ts';
import { refreshPull } from './pull-state.ts';
import { addReply, addReview } from './reviews.ts';
import {
  timestamp,
  type Issue,
  type Pull,
  type Repository,
  type Review,
  type ReviewComment,
  type User,
} from './store.ts';
import type { Site } from './site.ts';

interface NamedPull extends RepositoryName {
  readonly number: number;
}

function requirePull(site: Site, of: NamedPull): { repository: Repository; issue: Issue; pull: Pull } {
  const repository = requireRepository(site, of);
  const issue = repository.issues.get(of.number);
  if (issue === undefined || issue.pull === null)
    throw new Error(`no pull request ${of.number} in ${of.owner}/${of.name}`);
  return { repository, issue, pull: issue.pull };
}

export async function openPull(
  site: Site,
  wanted: NewPull,
): Promise<{ number: number; headSha: string; delivery: Delivery }> {
  const repository = requireRepository(site, wanted);
  const user = site.store.user(wanted.author);
  const { branch, base, title, files } = wanted;
  const { baseSha, headSha } = await newBranch(repository, user, { branch, base, title, files });
  const pull = newPull(site, { headRef: branch, headSha, baseRef: base, baseSha, draft: wanted.draft });
  const body = wanted.body ?? null;
  const issue = site.store.addIssue(repository, { user, title, body, byApp: false, pull });
  const event = { kind: 'pull_request.opened', issue, pull } as const;
  const delivery = requireDelivery(await sendEvent(site, repository, user, event));
  return { number: issue.number, headSha, delivery };
}

async function newBranch(
  { git }: Repository,
  author: User,
  { branch, base, title, files }: Pick<NewPull, 'branch' | 'base' | 'title' | 'files'>,
): Promise<{ baseSha: string; headSha: string }> {
  const baseSha = await git.headOf(base);
  if (baseSha === null) throw new Error(`no branch ${base}`);
  const headSha = await commitFiles(git, {
    branch,
    from: baseSha,
    files,
    message: `${title}\n`,
    author: { name: author.login, email: noreplyAddress(author), date: timestamp() },
  });
  return { baseSha, headSha };
}

const newPull = (
  site: Site,
  fields: Pick<Pull, 'headRef' | 'headSha' | 'baseRef' | 'baseSha'> & {
    readonly draft?: boolean | undefined;
    readonly fork?: User;
  },
): Pull => ({
  id: site.store.nextId(),
  headRef: fields.headRef,
  headSha: fields.headSha,
  baseRef: fields.baseRef,
  baseSha: fields.baseSha,
  draft: fields.draft ?? false,
  maintainerCanModify: true,
  requestedReviewers: [],
  requestedTeams: [],
  fork: fields.fork ?? null,
  autoMergeBy: null,
  reviews: [],
  reviewComments: [],
  merged: null,
});

export async function reviewPull(site: Site, wanted: NewReview): Promise<SubmittedReview> {
  const { repository, issue, pull } = requirePull(site, wanted);
  await refreshPull(repository, issue, pull);
  const user = site.store.user(wanted.author);
  const { body = '', state = 'COMMENTED', comments = [] } = wanted;
  const added = await addReview(site.store, repository, pull, { user, body, state, lines: comments });
  if (added === null) throw new Error('a line of the review is not in the diff');
  return await submit(site, { repository, issue, pull, user }, added.review, added.comments);
}

export async function replyInReview(site: Site, wanted: ReviewReply): Promise<SubmittedReview> {
  const { repository, issue, pull } = requirePull(site, wanted);
  const to = pull.reviewComments.find(({ id }) => id === wanted.comment);
  if (to === undefined) throw new Error(`no comment ${wanted.comment} in the diff`);
  const first = pull.reviewComments.find(({ id }) => id === to.inReplyTo) ?? to;
  const user = site.store.user(wanted.author);
  const { review, comment } = addReply(site.store, pull, first, { user, body: wanted.body });
  return await submit(site, { repository, issue, pull, user }, review, [comment]);
}

async function submit(
  site: Site,
  at: { readonly repository: Repository; readonly issue: Issue; readonly pull: Pull; readonly user: User },
  review: Review,
  comments: readonly ReviewComment[],
): Promise<SubmittedReview> {
  const { repository, issue, pull, user } = at;
  issue.updatedAt = timestamp();
  const deliveries: Delivery[] = [];
  const submitted = { kind: 'pull_request_review.submitted', issue, pull, review } as const;
  deliveries.push(requireDelivery(await sendEvent(site, repository, user, submitted)));
  for (const comment of comments) {
    const created = { kind: 'pull_request_review_comment.created', issue, pull, comment } as const;
    deliveries.push(requireDelivery(await sendEvent(site, repository, user, created)));
  }
  return { id: review.id, comments: comments.map(({ id }) => id), deliveries };
}

/** Opens a pull request from a fork. As on GitHub, its commit is reachable only under `refs/pull/N/head`. */
export async function openPullFromFork(
  site: Site,
  wanted: ForkPull,
): Promise<{ number: number; headSha: string }> {
  const repository = requireRepository(site, wanted);
  const { git } = repository;
  const author = site.store.user(wanted.author);
  const temporaryBranch = `fork-of-${author.login}-${site.store.nextId()}`;
  const { baseSha, headSha } = await newBranch(repository, author, { ...wanted, branch: temporaryBranch });
  const fields = { headRef: wanted.branch, headSha, baseRef: wanted.base, baseSha };
  const pull = newPull(site, { ...fields, fork: author });
  const issue = site.store.addIssue(repository, {
    user: author,
    title: wanted.title,
    body: null,
    byApp: false,
    pull,
  });
  await git.moveRef(`refs/pull/${issue.number}/head`, null, headSha);
  await git.deleteRef(`refs/heads/${temporaryBranch}`);
  return { number: issue.number, headSha };
}

export async function closePull(site: Site, of: NamedPull & { merge?: boolean }): Promise<void> {
  const { repository, issue, pull } = requirePull(site, of);
  await refreshPull(repository, issue, pull);
  if (issue.state === 'closed') throw new Error(`pull request ${of.number} is already closed`);
  const at = timestamp();
  if (of.merge === true) {
    const by = repository.owner;
    pull.merged = { at, by, sha: await merge(repository, issue, pull) };
  }
  issue.state = 'closed';
  issue.closedAt = at;
  issue.updatedAt = at;
  await sendEvent(site, repository, repository.owner, { kind: 'pull_request.closed', issue, pull });
}

/** Writes a merge commit with the head's tree, which is correct because the head contains the base. */
async function merge({ git, owner }: Repository, issue: Issue, pull: Pull): Promise<string> {
  const head = await git.commit(pull.headSha);
  if (head === null || !(await git.isAncestor(pull.baseSha, pull.headSha)))
    throw new Error(`pull request ${issue.number} is behind its base, which the simulator cannot merge`);
  const person = { name: owner.login, email: noreplyAddress(owner), date: timestamp() };
  const committer = { ...person, name: 'GitHub', email: 'noreply@github.com' };
  const message = `Merge pull request #${issue.number}\n\n${issue.title}\n`;
  const parents = [pull.baseSha, pull.headSha];
  const sha = await git.writeCommit({ tree: head.tree, parents, author: person, committer, message }, true);
  if (!(await git.moveRef(`refs/heads/${pull.baseRef}`, pull.baseSha, sha)))
    throw new Error(`the branch ${pull.baseRef} moved during the merge`);
  return sha;
}

export function enableAutoMerge(site: Site, of: NamedPull): void {
  const { repository, issue, pull } = requirePull(site, of);
  pull.autoMergeBy = repository.owner;
  issue.updatedAt = timestamp();
}
