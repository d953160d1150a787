/**
 * Turns a change into a pull request, or a commit on one: blobs → tree → commit → branch → pull request.
 * Idempotent, even for overlapping attempts: each looks for what another has made, by the task's trailer and
 * marker. Its token is never in the sandbox.
 */
import * as z from 'zod';
import type { Publication, PublishResult } from '../core/ports/publication.ts';
import { finalReason } from '../core/ports/upstream-error.ts';
import { reasonOf } from '../core/reason.ts';
import type { Reason } from '../core/task.ts';
import { purposes, type AppTokens } from '../github/app-auth.ts';
import { GithubRefusal, githubClient, type GithubApi } from '../github/client.ts';
import { mayWriteChecks, saveReceiptRun } from '../github/receipt-checks.ts';
import { resultMarker, saveStickyComment } from '../github/progress-comment.ts';
import { pullRequestRef, type PullRequest } from '../github/pull-request.ts';
import { addCommit, lookAt, type Added } from './add-commit.ts';
import { branchName } from './branch-name.ts';
import { ownCommitUnder, treeOf, type MadeCommit, type Publishing } from './branches.ts';
import { addLabelsAndReviewers, type Requesting, type Log } from './labels-and-reviewers.ts';
import { changeHash } from './change-hash.ts';
import { parseChangeLines } from './change-lines.ts';
import { claimBranch, maxBranchNames } from './claim-branch.ts';
import { unwrittenReason, type Detour } from './continuation.ts';
import { createCommit } from './create-commit.ts';
import { gate } from './gate/gate.ts';
import { commitMessage } from './git-commit.ts';
import { leftOutText } from './left-out.ts';
import { findPullRequest, openPullRequest } from './own-pull-request.ts';
import { judgeMerge } from './judge-merge.ts';
import { measureChange } from './measure-change.ts';
import { mergeCheck, receiptCheck } from './receipt-check.ts';
import { mergeCleanly } from './merge-cleanly.ts';
import { publishMerge } from './publish-merge.ts';
import { commitReport, followUpComment } from './pull-request-text.ts';
import { prepareEntries, writeTree } from './tree-writer.ts';

const privacySchema = z.object({ private: z.boolean() });

export interface PublicationDeps extends GithubApi {
  readonly tokens: AppTokens;
  /** Logs failures that do not fail the publication: a review request, a comment. */
  readonly log?: Log;
}

interface Attempt extends Requesting {
  readonly tokens: AppTokens;
  readonly branch: string;
}

export function createPublication(deps: PublicationDeps): Publication {
  const { tokens, log = () => undefined } = deps;
  return {
    parseChange: parseChangeLines,
    async measure(facts, taskId, change, merge) {
      const scope = { ...facts, taskId, permissions: purposes.read };
      const client = githubClient(deps, async () => await tokens.tokenFor(scope));
      const at = { owner: facts.owner, repo: facts.name };
      if (merge === null) return await measureChange(client, at, change);
      const [measure, judged] = await Promise.all([
        measureChange(client, at, { ...change, base: merge.ours }),
        judgeMerge(client, at, change, merge),
      ]);
      return { ...measure, merge: judged };
    },
    async mergeCleanly(input) {
      const { facts, request } = input;
      const scope = { ...facts, taskId: request.taskId, permissions: purposes.publish };
      const client = githubClient(deps, async () => await tokens.tokenFor(scope));
      try {
        return await mergeCleanly(client, input);
      } catch (error) {
        if (error instanceof GithubRefusal && error.status === 401) tokens.drop(scope);
        const reason = finalReason(error);
        if (reason === null) throw error;
        return { kind: 'rejected', reason };
      }
    },
    gate,
    leftOut: ({ skipped }) => leftOutText(skipped),
    changeHash,
    receiptCheck: (input, { added, commit = null, pullRequest: { number } }) =>
      receiptCheck(input, added ?? commit, added === null ? null : number),
    mergeCheck,
    async saveReceiptCheck(facts, taskId, { sha, ...check }) {
      if (sha === null) return 'gone';
      if (!(await mayWriteChecks(deps, facts))) return 'not-permitted';
      return await saveReceiptRun(deps, facts, taskId, { ...check, sha });
    },
    async publish(input) {
      const { facts, request } = input;
      const scope = { ...facts, taskId: request.taskId, permissions: purposes.publish };
      const client = githubClient(deps, async () => await tokens.tokenFor(scope));
      const teamScope = { ...scope, permissions: purposes.teamReviews };
      const teamClient = githubClient(deps, async () => await tokens.tokenFor(teamScope));
      const branch = branchName(input.policy.branchPrefix, input.answer.title, request.shortId);
      const at = { owner: facts.owner, repo: facts.name };
      const bot = async () => await tokens.bot();
      try {
        const { merge } = input.change;
        return merge === undefined
          ? await publish({ client, teamClient, at, input, bot, tokens, branch, log })
          : await publishMerge({ client, at, input, bot }, merge);
      } catch (error) {
        // The token was revoked or expired early. The next attempt mints another.
        if (error instanceof GithubRefusal && error.status === 401) tokens.drop(scope);
        const reason = finalReason(error);
        if (reason === null) throw error;
        return { kind: 'rejected', reason };
      }
    },
  };
}

async function publish(begun: Omit<Attempt, 'makesChange'>): Promise<PublishResult> {
  const { client, at, input, branch } = begun;
  const { continues, change, request, pull } = input;
  if (pull !== null && continues === null)
    throw new Error('a task that was asked in a pull request has no branch to write to');
  const entries = prepareEntries(client, at, change.files);
  const baseTree = treeOf(begun, change.base);
  const treeOn = async (parent: string): Promise<string> => {
    const parentTree = await (parent === change.base ? baseTree : treeOf(begun, parent));
    return await writeTree(client, at, parentTree, await entries);
  };
  const makesChange = async ({ tree, parents: [parent] }: MadeCommit): Promise<boolean> =>
    parent !== undefined && (await unlessRefused(treeOn(parent))) === tree;
  const attempt = { ...begun, makesChange };
  const [own, look, isPrivate] = await Promise.all([
    // A task that was asked in a pull request never opens one.
    pull === null ? findPullRequest(attempt, branch) : null,
    continues === null ? null : lookAt(attempt, continues),
    stillPrivate(attempt),
    baseTree,
    entries,
  ]);
  const publishing = { ...attempt, input: { ...input, facts: { ...input.facts, private: isPrivate } } };
  if (look !== null && look.added !== null) return await reportAdded(publishing, look.added);
  if (own !== null) {
    // The attempt that opened it may have ended before it requested the reviews.
    await addLabelsAndReviewers(publishing, own);
    return await publishedAs(publishing, own);
  }
  const commitOnto = async (parent: string): Promise<string> => {
    return await createCommit(attempt, {
      message: commitMessage(input.answer, request, input.policy.commit.signOff),
      tree: await treeOn(parent),
      parents: [parent],
    });
  };
  // On the commit that the sandbox started from, even if the branch has moved: a pull request shows that.
  if (continues === null || look === null)
    return await publishOwn(publishing, await commitOnto(change.base), null);
  const result = await addCommit(publishing, continues, look, commitOnto);
  if ('added' in result) return await reportAdded(publishing, result.added);
  const { detour, isLate } = result;
  if (pull !== null) return { kind: 'unwritten', reason: unwrittenReason(detour, isLate) };
  return await publishOwn(publishing, await commitOnto(change.base), detour);
}

/** Null if GitHub refuses the tree: the change does not apply there. */
async function unlessRefused(tree: Promise<string>): Promise<string | null> {
  try {
    return await tree;
  } catch (error) {
    if (error instanceof GithubRefusal && error.status === 422) return null;
    throw error;
  }
}

async function publishOwn(attempt: Attempt, commit: string, detour: Detour | null): Promise<PublishResult> {
  const { branch } = attempt;
  const claim = await claimBranch(attempt, branch, commit);
  if (claim.kind === 'opened') {
    // Under the first name it was not there when this attempt looked: the one that has opened it meanwhile
    // requests the reviews, and a second request would notify twice. Other names are looked at only here.
    if (claim.pull.head.ref !== branch) await addLabelsAndReviewers(attempt, claim.pull);
    return await publishedAs(attempt, claim.pull);
  }
  if (claim.kind === 'taken') {
    return { kind: 'rejected', reason: reasonOf('branch-taken', { branch, last: String(maxBranchNames) }) };
  }
  try {
    const pullRequest = await openPullRequest(attempt, claim.branch, detour);
    return { kind: 'published', pullRequest, added: null, commit: claim.commit };
  } catch (error) {
    const reason = finalReason(error);
    if (reason === null) throw error;
    const { baseBranch } = attempt.input;
    return { kind: 'rejected', reason: withoutPullRequest(reason, baseBranch, claim.branch) };
  }
}

/** Of a pull request that another attempt has opened. */
async function publishedAs(attempt: Attempt, pull: PullRequest): Promise<PublishResult> {
  // Somebody may have pushed onto it since, or rewritten it.
  const commit = await ownCommitUnder(attempt, pull.head.sha);
  return { kind: 'published', pullRequest: pullRequestRef(pull), added: null, commit };
}

/** The branch stays: a person can open the pull request from it, and a retry finds it. */
function withoutPullRequest(reason: Reason, baseBranch: string, branch: string): Reason {
  const message = reason.message.replace('The base branch', `The base branch \`${baseBranch}\``);
  return {
    ...reason,
    message: `${message} The change is on the branch \`${branch}\`.`,
    next: `${reason.next} Or open a pull request from the branch yourself.`,
  };
}

/**
 * In a comment, because the pull request's body belongs to its author; with a marker of its own. A task that
 * was asked in the pull request has its own comment there.
 */
async function reportAdded(
  { client, input, tokens, log }: Attempt,
  { pull, commit, head }: Added,
): Promise<PublishResult> {
  const { facts, request } = input;
  const published = {
    kind: 'published',
    pullRequest: { ...pullRequestRef(pull), headSha: head },
    added: commit,
  } as const;
  if (input.pull?.number === pull.number) return { ...published, report: commitReport(input) };
  const place = {
    client,
    appId: tokens.appId,
    facts,
    issueNumber: pull.number,
    marker: resultMarker(request.taskId),
    since: request.acceptedAt,
    thread: null,
  };
  try {
    await saveStickyComment(place, followUpComment(input, commit), null);
  } catch (error) {
    // A final refusal, such as a locked conversation, does not matter: the commit is what the person asked
    // for.
    const reason = finalReason(error);
    if (reason === null) throw error;
    log('comment.not_saved', {
      taskId: request.taskId,
      pullRequest: pull.number,
      reason: reason.code,
    });
  }
  return published;
}

/** Links to a conversation or the log are only for private repositories; public if unknown. */
async function stillPrivate({ client, at, input }: Publishing): Promise<boolean> {
  const { facts, evidence } = input;
  if (!facts.private || (evidence.conversationUrl === null && evidence.taskUrl === null))
    return facts.private;
  const { data } = await client.request('GET /repos/{owner}/{repo}', { ...at });
  return privacySchema.parse(data).private;
}
