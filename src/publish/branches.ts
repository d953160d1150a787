/** Reads, creates and fast-forwards branches with the Git Data API. Never forces a push. */
import * as z from 'zod';
import type { PublishInput } from '../core/ports/publication.ts';
import type { Reason } from '../core/task.ts';
import { GithubRefusal, unlessMissing, type GithubClient } from '../github/client.ts';
import type { RepositoryPath } from '../github/git-objects.ts';
import { namesTask } from './trailers.ts';

export interface Publishing {
  readonly client: GithubClient;
  readonly at: RepositoryPath;
  readonly input: PublishInput;
  /**
   * Whether a commit makes the task's change, and nothing else. The trailer alone proves nothing: anybody
   * with write access can write it, and would get the task's evidence for a commit of their own.
   */
  readonly makesChange: (commit: MadeCommit) => Promise<boolean>;
  /** The login of the App's account, which opens its pull requests. */
  readonly bot: () => Promise<string>;
}
export interface MadeCommit {
  readonly tree: string;
  readonly parents: readonly string[];
}

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const gitCommitSchema = z.object({ tree: z.object({ sha }) });
const listedSchema = z.array(
  z.object({
    sha,
    commit: z.object({ message: z.string(), tree: z.object({ sha }) }),
    parents: z.array(z.object({ sha })),
  }),
);
const refSchema = z.object({ object: z.object({ sha }) });

/** Codes of a reason with which a ruleset or a protected branch refuses. */
const forbiddenByRule = /^(?:branch-protected|push-protection|ruleset-)/;
/** Commits that a second attempt searches for its own commit below: one page of GitHub's. */
const maxCommitsOnTop = 100;
/** Commits that name the task and are looked at. More than one is an attack. */
const maxCandidates = 5;

export async function treeOf(
  { client, at }: Pick<Publishing, 'client' | 'at'>,
  commit: string,
): Promise<string> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/git/commits/{commit_sha}', {
    ...at,
    commit_sha: commit,
  });
  return gitCommitSchema.parse(data).tree.sha;
}

export async function branchHead(
  { client, at }: Pick<Publishing, 'client' | 'at'>,
  branch: string,
): Promise<string | null> {
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...at, ref: `heads/${branch}` }),
  );
  return found === null ? null : refSchema.parse(found.data).object.sha;
}

/**
 * Finds the task's commit in the history of `head`, down to its base: people may have added commits on top,
 * or rebased it. The oldest counts.
 */
export async function ownCommitUnder(
  {
    client,
    at,
    input,
    makesChange,
  }: Pick<Publishing, 'client' | 'at' | 'makesChange'> & {
    readonly input: {
      readonly request: { readonly taskId: string };
      readonly change: { readonly base: string };
    };
  },
  head: string,
): Promise<string | null> {
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/commits', { ...at, sha: head, per_page: maxCommitsOnTop }),
  );
  if (found === null) return null;
  const listed = listedSchema.parse(found.data);
  const base = listed.findIndex(({ sha: id }) => id === input.change.base);
  const named = listed
    .slice(0, base < 0 ? undefined : base)
    .filter(({ commit }) => namesTask(commit.message, input.request.taskId));
  for (const { sha: id, commit, parents } of named.toReversed().slice(0, maxCandidates)) {
    const made = { tree: commit.tree.sha, parents: parents.map((parent) => parent.sha) };
    if (await makesChange(made)) return id;
  }
  return null;
}

/** Returns false if a branch of that name exists. */
export async function createBranch(
  { client, at }: Publishing,
  branch: string,
  commit: string,
): Promise<boolean> {
  try {
    await client.request('POST /repos/{owner}/{repo}/git/refs', {
      ...at,
      ref: `refs/heads/${branch}`,
      sha: commit,
    });
    return true;
  } catch (error) {
    if (!(error instanceof GithubRefusal && error.status === 422)) throw error;
    if (/already exists/i.test(error.details)) return false;
    if (isVague(error) && (await branchHead({ client, at }, branch)) !== null) return false;
    throw error;
  }
}

/** GitHub also says this of a branch that another call creates or moves at this moment. */
const isVague = ({ details }: GithubRefusal): boolean =>
  /^Reference (?:update failed|cannot be)/.test(details);

/** `moved`: look again. `refusal`: why GitHub did not move it, unless because of where the branch is. */
export type Advance =
  | { readonly kind: 'advanced' }
  | { readonly kind: 'moved'; readonly refusal: GithubRefusal | null }
  /** `words`: GitHub's own. */
  | { readonly kind: 'forbidden'; readonly reason: Reason; readonly words: string };

/**
 * Accepted weakness: REST cannot demand where the branch must be. If somebody resets it in the second before,
 * the removed commits come back below ours.
 */
export async function advanceBranch(
  { client, at }: Publishing,
  branch: string,
  commit: string,
): Promise<Advance> {
  try {
    await client.request('PATCH /repos/{owner}/{repo}/git/refs/{ref}', {
      ...at,
      ref: `heads/${branch}`,
      sha: commit,
      force: false,
    });
    return { kind: 'advanced' };
  } catch (error) {
    if (!(error instanceof GithubRefusal)) throw error;
    const { details, meaning } = error;
    const { reason } = meaning;
    if (!isVague(error) && forbiddenByRule.test(reason.code))
      return { kind: 'forbidden', reason, words: details };
    if (error.status !== 422 && error.status !== 409) throw error;
    const isElsewhere = /not a fast forward|does not exist/i.test(details);
    return { kind: 'moved', refusal: isElsewhere ? null : error };
  }
}
