/** User actions on pull requests: open one from a fork, close, merge. They send no webhook. */
import type { ForkPull, RepositoryName } from './contract.ts';
import { noreplyAddress } from './documents/commit-document.ts';
import { requireRepository } from './user-actions.ts';
import { refreshPull } from './pull-state.ts';
import { timestamp, type Issue, type Pull, type Repository } from './store.ts';
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

/** Opens a pull request from a fork. As on GitHub, its commit is reachable only under `refs/pull/N/head`. */
export async function openPullFromFork(
  site: Site,
  wanted: ForkPull,
): Promise<{ number: number; headSha: string }> {
  const repository = requireRepository(site, wanted);
  const { git } = repository;
  const baseSha = await git.headOf(wanted.base);
  if (baseSha === null) throw new Error(`no branch ${wanted.base}`);
  const author = site.store.user(wanted.author);
  const temporaryBranch = `fork-of-${author.login}-${site.store.nextId()}`;
  const headSha = await git.commitFiles({
    branch: temporaryBranch,
    from: baseSha,
    files: wanted.files,
    message: `${wanted.title}\n`,
    author: { name: author.login, email: noreplyAddress(author), date: timestamp() },
  });
  const pull: Pull = {
    id: site.store.nextId(),
    headRef: wanted.branch,
    headSha,
    baseRef: wanted.base,
    baseSha,
    draft: false,
    maintainerCanModify: true,
    requestedReviewers: [],
    fork: author,
    autoMergeBy: null,
    merged: null,
  };
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
}

/** Writes a merge commit with the head's tree, which is correct because the head contains the base. */
async function merge({ git, owner }: Repository, issue: Issue, pull: Pull): Promise<string> {
  const head = await git.commit(pull.headSha);
  if (head === null || !(await git.isAncestor(pull.baseSha, pull.headSha)))
    throw new Error(`pull request ${issue.number} is behind its base, which the simulator cannot merge`);
  const person = { name: owner.login, email: noreplyAddress(owner), date: timestamp() };
  const sha = await git.writeCommit({
    tree: head.tree,
    parents: [pull.baseSha, pull.headSha],
    author: person,
    committer: person,
    message: `Merge pull request #${issue.number}\n\n${issue.title}\n`,
  });
  if (!(await git.moveRef(`refs/heads/${pull.baseRef}`, pull.baseSha, sha)))
    throw new Error(`the branch ${pull.baseRef} moved during the merge`);
  return sha;
}

export function enableAutoMerge(site: Site, of: NamedPull): void {
  const { repository, issue, pull } = requirePull(site, of);
  pull.autoMergeBy = repository.owner;
  issue.updatedAt = timestamp();
}
