/**
 * Turns a change into a pull request: blobs → tree → commit → branch → pull request, six round trips for a small one.
 *
 * A second attempt, also one that overlaps the first, finds what the first made: objects and commit have the same ids,
 * the branch is created once, and the pull request is looked up by its branch before anything is written. Written with a
 * token of the task that the sandbox never had. Whether the change may be published is `gate.ts`'s question.
 */
import { z } from 'zod';
import type { Publication, PublishInput, PublishResult } from '../core/ports.ts';
import type { PullRequestRef } from '../core/task.ts';
import { purposes, type AppTokens } from '../github/app-auth.ts';
import {
  GithubRefusal,
  githubClient,
  unlessMissing,
  type GithubApi,
  type GithubClient,
} from '../github/client.ts';
import { taskMarker } from '../github/progress-comment.ts';
import { branchName } from './branch-name.ts';
import { parseChangeLines } from './change-lines.ts';
import { gate } from './gate.ts';
import { commitMessage, namesTask, signature } from './git-commit.ts';
import { pullRequestBody, pullRequestTitle } from './pull-request-text.ts';
import { finalRefusal } from './refusal.ts';
import { prepareEntries, writeTree, type RepositoryPath } from './tree-writer.ts';

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const createdSchema = z.object({ sha });
const gitCommitSchema = z.object({
  sha,
  message: z.string(),
  tree: z.object({ sha }),
  parents: z.array(z.object({ sha })),
});
const refSchema = z.object({ object: z.object({ sha }) });
const pullSchema = z.object({
  number: z.number().int(),
  html_url: z.url(),
  draft: z.boolean().optional(),
  state: z.string(),
  body: z.string().nullish(),
  head: z.object({ ref: z.string(), sha }),
});

/** Names tried when a branch of another origin has ours: the name itself, then with `-2` to `-5`. */
const maxBranchNames = 5;
/** Commits that people may have put on top of ours before a second attempt looks for it. */
const maxCommitsOnTop = 10;

interface Publishing {
  readonly client: GithubClient;
  readonly at: RepositoryPath;
  readonly input: PublishInput;
}

export function createPublication(deps: GithubApi & { readonly tokens: AppTokens }): Publication {
  return {
    parseChange: parseChangeLines,
    gate,
    async publish(input) {
      const { facts, request } = input;
      const scope = { ...facts, taskId: request.taskId, permissions: purposes.publish };
      const client = githubClient(deps, async () => await deps.tokens.tokenFor(scope));
      const branch = branchName(input.answer.title, request.shortId);
      try {
        return await publish(
          { client, at: { owner: facts.owner, repo: facts.name }, input },
          branch,
          deps.tokens,
        );
      } catch (error) {
        // Revoked or expired ahead of time: the next attempt gets another one.
        if (error instanceof GithubRefusal && error.status === 401) deps.tokens.drop(scope);
        const reason = finalRefusal(error, facts, branch);
        if (reason === null) throw error;
        return { kind: 'rejected', reason };
      }
    },
  };
}

async function publish(publishing: Publishing, branch: string, tokens: AppTokens): Promise<PublishResult> {
  const { client, at, input } = publishing;
  const [existing, base, bot, entries] = await Promise.all([
    findPullRequest(publishing, branch),
    readCommit(publishing, input.change.base),
    tokens.bot(client),
    prepareEntries(client, at, input.change.files),
  ]);
  if (existing !== null) return { kind: 'published', pullRequest: existing };
  const tree = await writeTree(client, at, base.tree.sha, entries);
  const author = signature(bot, input.request.acceptedAt);
  const { data } = await client.request('POST /repos/{owner}/{repo}/git/commits', {
    ...at,
    message: commitMessage(input.answer, input.request),
    tree,
    // The commit that the sandbox started from, also when the branch has moved on: the pull request shows it.
    parents: [input.change.base],
    author,
    committer: author,
  });
  const head = await claimBranch(publishing, branch, createdSchema.parse(data).sha);
  if (head === null) {
    const message = `The branch ${branch} and its alternatives -2 to -${maxBranchNames} exist already and are not this task’s. Delete one of them and retry.`;
    return { kind: 'rejected', reason: { code: 'branch-taken', message } };
  }
  return { kind: 'published', pullRequest: await openPullRequest(publishing, head) };
}

async function readCommit(
  { client, at }: Publishing,
  commit: string,
): Promise<z.infer<typeof gitCommitSchema>> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/git/commits/{commit_sha}', {
    ...at,
    commit_sha: commit,
  });
  return gitCommitSchema.parse(data);
}

/** A pull request that an earlier attempt opened from this branch, in whatever state people have put it since. */
async function findPullRequest(publishing: Publishing, branch: string): Promise<PullRequestRef | null> {
  const marker = taskMarker(publishing.input.request.taskId);
  const pulls = await pullRequestsFrom(publishing, branch);
  const ours = pulls.find((pull) => (pull.body ?? '').trimEnd().endsWith(marker));
  return ours === undefined ? null : pullRequestRef(ours);
}

async function pullRequestsFrom(
  { client, at }: Publishing,
  branch: string,
): Promise<z.infer<typeof pullSchema>[]> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/pulls', {
    ...at,
    head: `${at.owner}:${branch}`,
    state: 'all',
  });
  // GitHub ignores a filter that it does not understand, and then lists everything.
  return z
    .array(pullSchema)
    .parse(data)
    .filter((pull) => pull.head.ref === branch);
}

interface Head {
  readonly branch: string;
  readonly sha: string;
}

/** Creates the branch, or finds that it is ours already; steps aside when somebody else's has the name. null: all are taken. */
async function claimBranch(publishing: Publishing, branch: string, commit: string): Promise<Head | null> {
  for (let attempt = 1; attempt <= maxBranchNames; attempt += 1) {
    const name = attempt === 1 ? branch : `${branch}-${attempt}`;
    if (await createBranch(publishing, name, commit)) return { branch: name, sha: commit };
    const standing = await branchHead(publishing, name);
    // Deleted between our two looks at it: the next attempt of the caller finds out.
    if (standing === null) throw new Error(`the branch ${name} came and went while it was being published`);
    if (standing === commit || (await carriesOurCommit(publishing, standing)))
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

async function branchHead({ client, at }: Publishing, branch: string): Promise<string | null> {
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...at, ref: `heads/${branch}` }),
  );
  return found === null ? null : refSchema.parse(found.data).object.sha;
}

/** Whether the task's commit is the head or lies under what people have added since. */
async function carriesOurCommit(publishing: Publishing, head: string): Promise<boolean> {
  let at = head;
  for (let depth = 0; depth <= maxCommitsOnTop; depth += 1) {
    const commit = await readCommit(publishing, at);
    if (namesTask(commit.message, publishing.input.request.taskId)) return true;
    const [parent] = commit.parents;
    if (parent === undefined || parent.sha === publishing.input.change.base) return false;
    at = parent.sha;
  }
  return false;
}

async function openPullRequest(publishing: Publishing, head: Head): Promise<PullRequestRef> {
  const { client, at, input } = publishing;
  const open = async (draft: boolean) =>
    await client.request('POST /repos/{owner}/{repo}/pulls', {
      ...at,
      title: pullRequestTitle(input),
      body: pullRequestBody(input),
      head: head.branch,
      base: input.baseBranch,
      draft,
    });
  try {
    return pullRequestRef(pullSchema.parse((await open(input.draft)).data));
  } catch (error) {
    if (!(error instanceof GithubRefusal) || error.status !== 422) throw error;
    if (/already exists/i.test(error.details)) {
      const found = (await pullRequestsFrom(publishing, head.branch)).find((pull) => pull.state === 'open');
      if (found !== undefined) return pullRequestRef(found);
    }
    // Private repositories of free plans have no drafts; the remarks are in the body either way.
    if (input.draft && /draft/i.test(error.details))
      return pullRequestRef(pullSchema.parse((await open(false)).data));
    throw error;
  }
}

function pullRequestRef(pull: z.infer<typeof pullSchema>): PullRequestRef {
  return {
    number: pull.number,
    url: pull.html_url,
    headRef: pull.head.ref,
    headSha: pull.head.sha,
    draft: pull.draft ?? false,
  };
}
