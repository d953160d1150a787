/**
 * Creates the branch of a task's own pull request, or finds what another attempt has made: the branch, by the
 * commit under it, or the pull request, whose branch people may have deleted since. Never takes over a branch
 * of somebody else.
 */
import type { PullRequest } from '../github/pull-request.ts';
import { branchHead, createBranch, ownCommitUnder, type Publishing } from './branches.ts';
import { findPullRequest } from './own-pull-request.ts';

export type Claim =
  | { readonly kind: 'claimed'; readonly branch: string; readonly commit: string }
  /** Another attempt has opened the pull request. */
  | { readonly kind: 'opened'; readonly pull: PullRequest }
  /** All names belong to others. */
  | { readonly kind: 'taken' };

/** Names to try if another branch has ours: the name itself, then with `-2` to `-5`. */
export const maxBranchNames = 5;

/** The caller has looked for a pull request from `branch` itself. */
export async function claimBranch(publishing: Publishing, branch: string, commit: string): Promise<Claim> {
  for (let attempt = 1; attempt <= maxBranchNames; attempt += 1) {
    const name = attempt === 1 ? branch : `${branch}-${attempt}`;
    const earlier = attempt === 1 ? null : await findPullRequest(publishing, name);
    if (earlier !== null) return { kind: 'opened', pull: earlier };
    if (await createBranch(publishing, name, commit)) return await afterCreation(publishing, name, commit);
    const existing = await branchHead(publishing, name);
    if (existing === null) return await afterDeletion(publishing, name);
    const own = await ownCommitUnder(publishing, existing);
    if (own !== null) return { kind: 'claimed', branch: name, commit: own };
  }
  return { kind: 'taken' };
}

/**
 * Looks again, because this attempt may be late: another has opened the pull request, and people have merged
 * it and deleted its branch. The new branch then has to go.
 */
async function afterCreation(publishing: Publishing, branch: string, commit: string): Promise<Claim> {
  const pull = await findPullRequest(publishing, branch);
  if (pull === null) return { kind: 'claimed', branch, commit };
  const { client, at } = publishing;
  if (pull.state !== 'open' && pull.head.sha !== commit && (await branchHead(publishing, branch)) === commit)
    await client.request('DELETE /repos/{owner}/{repo}/git/refs/{ref}', { ...at, ref: `heads/${branch}` });
  return { kind: 'opened', pull };
}

/** Deleted a moment ago, by people. Without a pull request the caller's next attempt creates it. */
async function afterDeletion(publishing: Publishing, branch: string): Promise<Claim> {
  const pull = await findPullRequest(publishing, branch);
  if (pull === null) throw new Error(`the branch ${branch} was deleted during its publication`);
  return { kind: 'opened', pull };
}
