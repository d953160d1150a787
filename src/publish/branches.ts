/**
 * The branches of a publication by the Git Data API: looked at, created, moved forward. Nothing here is ever forced, and
 * nothing is decided about which branch it should be.
 */
import * as z from 'zod';
import type { PublishInput } from '../core/ports/publication.ts';
import { GithubRefusal, unlessMissing, type GithubClient } from '../github/client.ts';
import { namesTask } from './git-commit.ts';
import type { RepositoryPath } from './tree-writer.ts';

export interface Publishing {
  readonly client: GithubClient;
  readonly at: RepositoryPath;
  readonly input: PublishInput;
}

export interface Head {
  readonly branch: string;
  readonly sha: string;
}

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const gitCommitSchema = z.object({ tree: z.object({ sha }) });
const listedSchema = z.array(z.object({ sha, commit: z.object({ message: z.string() }) }));
const refSchema = z.object({ object: z.object({ sha }) });

/** Names tried when a branch of another origin has ours: the name itself, then with `-2` to `-5`. */
export const maxBranchNames = 5;
/** Commits that people may have put on top of ours before a second attempt looks for it; one page of GitHub's. */
const maxCommitsOnTop = 100;

export async function treeOf({ client, at }: Publishing, commit: string): Promise<string> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/git/commits/{commit_sha}', {
    ...at,
    commit_sha: commit,
  });
  return gitCommitSchema.parse(data).tree.sha;
}

export async function branchHead({ client, at }: Publishing, branch: string): Promise<string | null> {
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...at, ref: `heads/${branch}` }),
  );
  return found === null ? null : refSchema.parse(found.data).object.sha;
}

/** The task's own commit, when it is the head or lies under what people have added since; also after a rebase of theirs. */
export async function ownCommitUnder(publishing: Publishing, head: string): Promise<string | null> {
  const { client, at, input } = publishing;
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/commits', { ...at, sha: head, per_page: maxCommitsOnTop }),
  );
  if (found === null) return null;
  const ours = listedSchema
    .parse(found.data)
    .find(({ commit }) => namesTask(commit.message, input.request.taskId));
  return ours?.sha ?? null;
}

/** Creates the branch, or finds that it is ours already; steps aside when somebody else's has the name. null: all are taken. */
export async function claimBranch(
  publishing: Publishing,
  branch: string,
  commit: string,
): Promise<Head | null> {
  for (let attempt = 1; attempt <= maxBranchNames; attempt += 1) {
    const name = attempt === 1 ? branch : `${branch}-${attempt}`;
    if (await createBranch(publishing, name, commit)) return { branch: name, sha: commit };
    const standing = await branchHead(publishing, name);
    // Deleted between our two looks at it: the next attempt of the caller finds out.
    if (standing === null) throw new Error(`the branch ${name} came and went while it was being published`);
    if (standing === commit || (await ownCommitUnder(publishing, standing)) !== null)
      return { branch: name, sha: standing };
  }
  return null;
}

/** False when there is a branch of that name. */
async function createBranch({ client, at }: Publishing, branch: string, commit: string): Promise<boolean> {
  try {
    await client.request('POST /repos/{owner}/{repo}/git/refs', {
      ...at,
      ref: `refs/heads/${branch}`,
      sha: commit,
    });
    return true;
  } catch (error) {
    if (error instanceof GithubRefusal && error.status === 422 && /already exists/i.test(error.details))
      return false;
    throw error;
  }
}

/**
 * GitHub's words for a branch that this App may not push to, whatever is on it: "Repository rule violations found",
 * "Changes must be made through a pull request", "Protected branch update failed".
 */
const protection = /rule violations|must be made through|protected branch|not authorized to push/i;

/**
 * Moves a branch forward. `moved`: GitHub did not, because it is no longer where it was, is gone, or is being written to
 * right now; whoever wants to know which looks again. Moving it to where it stands already works.
 *
 * A weakness accepted: REST cannot say where the branch has to be, only that it must not lose commits. Whoever resets it to
 * an older commit in the second between our look and this call gets what they took away back, with ours on top.
 */
export async function advanceBranch(
  { client, at }: Publishing,
  branch: string,
  commit: string,
): Promise<'advanced' | 'moved' | 'protected'> {
  try {
    await client.request('PATCH /repos/{owner}/{repo}/git/refs/{ref}', {
      ...at,
      ref: `heads/${branch}`,
      sha: commit,
      force: false,
    });
    return 'advanced';
  } catch (error) {
    if (!(error instanceof GithubRefusal) || (error.status !== 422 && error.status !== 409)) throw error;
    return protection.test(error.details) ? 'protected' : 'moved';
  }
}
