/**
 * Implements the port `CodeHost` over GitHub's REST API. Each purpose has its own token: one reads repository
 * facts, permissions, branches and the clone, one writes comments, one reads pull requests.
 */
import * as z from 'zod';
import type { CodeHost } from '../core/ports/code-host.ts';
import { threadOf } from '../core/line-answers.ts';
import { isFinal, meaningOf } from '../core/ports/upstream-error.ts';
import {
  repositoryRefSchema,
  type GithubTrigger,
  type RepositoryFacts,
  type TaskRequest,
} from '../core/task.ts';
import { locatedSchema, purposes, type AppTokens, type Permissions } from './app-auth.ts';
import { distinctRefs, fetchAttachment } from './attachments.ts';
import { GithubRefusal, githubClient, unlessMissing, type GithubApi, type GithubClient } from './client.ts';
import { readConventions } from './conventions.ts';
import { readCommitChecks } from './commit-checks.ts';
import { bodySchema, displayDelivered, withBodyHtml } from './displayed-comment.ts';
import type { ReadHtml } from './html-events.ts';
import { listInstalledRepositories } from './installed-repositories.ts';
import { readIssueContext } from './issue-context.ts';
import { lineReply } from './comments.ts';
import {
  endMarker,
  saveLineReplies,
  saveStickyComment,
  taskMarker,
  type StickyPlace,
} from './progress-comment.ts';
import { readPullContext } from './pull-context.ts';
import { pullRequestState, pullSchema } from './pull-request.ts';
import { setReaction } from './reactions.ts';
import { readReviewWords } from './review-words.ts';
import { canWriteNow, isLogin, writePermissions } from './write-permission.ts';

const installationSchema = z.object({ id: z.number().int().positive(), suspended_at: z.string().nullish() });
const accountSchema = z.object({ login: z.string(), id: z.number().int().positive(), type: z.string() });
const listedSchema = z.object({ repositories: z.array(locatedSchema) });
const refSchema = z.object({ object: z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }) });

/** Key of the tokens that belong to no single task. Not a valid task id. */
const sharedTokens = '*';

/** The issue or the pull request is what is asked. */
const withoutWords: readonly GithubTrigger['event'][] = ['issue_labeled', 'pull_request_labeled'];

export interface CodeHostDeps extends GithubApi {
  readonly tokens: AppTokens;
  readonly readHtml: ReadHtml;
  /** Where GitHub's pages are, without a slash at the end. */
  readonly webUrl: string;
  /** Its tokens are the task's own. Without a task, reads share a token, which expires by itself. */
  readonly taskId?: string;
}

export function createCodeHost(deps: CodeHostDeps): CodeHost {
  const { tokens } = deps;
  const { appId } = tokens;
  const task = deps.taskId ?? sharedTokens;
  const asApp = githubClient(deps, async () => await tokens.appJwt());

  function clientFor(
    facts: Pick<RepositoryFacts, 'installationId' | 'repositoryId'>,
    permissions: Permissions,
    taskId: string,
  ): GithubClient {
    const { installationId, repositoryId } = facts;
    const scope = { taskId, installationId, repositoryId, permissions };
    const client = githubClient(deps, async () => await tokens.tokenFor(scope));
    client.hook.error('request', (error) => {
      // The token was revoked or expired early. The next attempt mints another.
      if (error instanceof GithubRefusal && error.status === 401) tokens.drop(scope);
      throw error;
    });
    return client;
  }
  const reading = (facts: RepositoryFacts) => clientFor(facts, purposes.read, task);
  const conversing = (facts: RepositoryFacts, request: TaskRequest) => {
    const onPullRequest = request.trigger.kind === 'github' && request.trigger.onPullRequest;
    return clientFor(
      facts,
      onPullRequest ? purposes.pullRequestConversation : purposes.conversation,
      request.taskId,
    );
  };
  /** Where the task was asked: a conversation, or the thread of a line comment. */
  const placeOf = async (facts: RepositoryFacts, request: TaskRequest, marker: string) => {
    const { trigger } = request;
    if (trigger.kind !== 'github') throw new Error('a task without an issue has no comment');
    const client = conversing(facts, request);
    const root = threadOf(request);
    const thread = root === null ? null : { root, bot: await tokens.bot() };
    const { issueNumber, triggeredAt: since } = trigger;
    return { client, appId, facts, issueNumber, marker, since, thread } satisfies StickyPlace;
  };
  const permissions = writePermissions(reading);
  const reader = { readHtml: deps.readHtml, webUrl: deps.webUrl };

  return {
    async locate({ owner, name }) {
      const at = { owner, repo: name };
      const found = await unlessGone(asApp.request('GET /repos/{owner}/{repo}/installation', at));
      if (found === null) return null;
      const installation = installationSchema.parse(found.data);
      if (installation.suspended_at != null) return null;
      const repository = await tokens.repositoryByName({
        taskId: task,
        installationId: installation.id,
        owner,
        name,
      });
      if (repository === null) return null;
      return {
        owner: repository.owner.login,
        name: repository.name,
        repositoryId: repository.id,
        installationId: installation.id,
        defaultBranch: repository.default_branch,
        private: repository.private,
      };
    },

    async canWrite(facts, person) {
      return await canWriteNow(reading(facts), facts, person);
    },

    async headOf(facts, branch) {
      const found = await unlessMissing(
        reading(facts).request('GET /repos/{owner}/{repo}/git/ref/{ref}', {
          ...repositoryOf(facts),
          ref: `heads/${branch}`,
        }),
      );
      return found === null ? null : refSchema.parse(found.data).object.sha;
    },

    async displayedWords(facts, request) {
      const { trigger } = request;
      if (trigger.kind !== 'github' || withoutWords.includes(trigger.event)) return null;
      const client = conversing(facts, request);
      const at = { ...repositoryOf(facts), headers: withBodyHtml };
      const path = `/repos/{owner}/{repo}/${textOf(trigger)}`;
      const found = await unlessGone<{ data: unknown }>(client.request(`GET ${path}`, at));
      const present = found === null ? null : bodySchema.parse(found.data);
      const isIssue = trigger.event === 'issue_opened';
      const delivered = isIssue ? trigger.issue?.body : trigger.comment;
      const renderer = { client, ...reader, repository: facts };
      return await displayDelivered(delivered ?? present?.body ?? '', present, renderer);
    },

    async reviewWords(facts, trigger, reviewId) {
      const client = clientFor(facts, purposes.pullRequestConversation, task);
      return await readReviewWords({ ...reader, client, facts, trigger, reviewId });
    },

    async issueContext(facts, request, pull) {
      const { trigger } = request;
      if (trigger.kind !== 'github') return null;
      const place = { client: conversing(facts, request), reader, facts, trigger, canWrite: permissions };
      const code = reading(facts);
      const [context, ofPull] = await Promise.all([
        readIssueContext({ ...place, appId }),
        pull === null ? null : readPullContext({ ...place, code, request, pull, bot: tokens.bot }),
      ]);
      if (context === null) return null;
      const attachments = [...(ofPull?.attachments ?? []), ...context.attachments];
      return { ...context, pull: ofPull?.pull ?? null, attachments: distinctRefs(attachments) };
    },

    async conventions(facts, sha, wanted) {
      return await readConventions(reading(facts), repositoryOf(facts), sha, wanted);
    },

    async commitChecks(facts, sha, options) {
      const clientOf = (needed: Permissions) => clientFor(facts, needed, task);
      return await readCommitChecks({ clientFor: clientOf, api: deps, appId, facts, sha }, options);
    },

    async attachment(facts, request, ref) {
      const { installationId, repositoryId } = facts;
      const scope = { taskId: task, installationId, repositoryId, permissions: purposes.read };
      return await fetchAttachment(ref, {
        ...reader,
        client: conversing(facts, request),
        facts,
        fetch: deps.fetch,
        token: async () => await tokens.tokenFor(scope),
      });
    },

    async react(facts, request, content) {
      const { trigger } = request;
      if (trigger.kind !== 'github') return;
      const client = conversing(facts, request);
      const place = { client, bot: tokens.bot, facts, trigger };
      await setReaction(place, content);
    },

    async saveProgressComment(facts, request, markdown, knownId) {
      const place = await placeOf(facts, request, taskMarker(request.taskId));
      return await saveStickyComment(place, markdown, knownId);
    },

    async saveEndComment(facts, request, markdown, attempt) {
      const place = await placeOf(facts, request, endMarker(request.taskId, attempt));
      return await saveStickyComment(place, markdown, null);
    },

    async replyToLines(facts, request, answers, outcome) {
      if (answers.length === 0) return [];
      const { thread: _, ...place } = await placeOf(facts, request, taskMarker(request.taskId));
      const bot = await tokens.bot();
      const replies = answers.map(({ id, thread, text }) => ({
        id,
        root: thread,
        markdown: lineReply(text, outcome),
      }));
      return await saveLineReplies({ ...place, bot }, request.taskId, replies);
    },

    async pullRequest(facts, number) {
      const found = await unlessMissing(
        clientFor(facts, purposes.pullRequests, task).request(
          'GET /repos/{owner}/{repo}/pulls/{pull_number}',
          {
            ...repositoryOf(facts),
            pull_number: number,
          },
        ),
      );
      return found === null ? null : pullRequestState(pullSchema.parse(found.data), facts);
    },

    async account(facts, login) {
      if (!isLogin(login)) return null;
      const found = await unlessMissing(reading(facts).request('GET /users/{username}', { username: login }));
      if (found === null) return null;
      const { login: written, id, type } = accountSchema.parse(found.data);
      return type === 'User' ? { login: written, id } : null;
    },

    async relocate(facts) {
      const { repositoryId } = facts;
      // The token is narrowed to this repository by id, so that this lists it alone, under its present name.
      const found = await unlessClosed(reading(facts).request('GET /installation/repositories'));
      const listed = listedSchema.parse(found?.data ?? { repositories: [] }).repositories;
      const located = listed.find((one) => one.id === repositoryId);
      if (located === undefined) return null;
      const { name, owner, default_branch, private: isPrivate } = located;
      // The answer becomes part of URLs, so refuse a name that is a path.
      const named = repositoryRefSchema.safeParse({ owner: owner.login, name });
      if (!named.success) return null;
      return { ...facts, ...named.data, defaultBranch: default_branch, private: isPrivate };
    },

    async installedRepositories() {
      return await listInstalledRepositories(deps);
    },

    async forgetTokens(taskId) {
      await tokens.forget(taskId);
    },
  };
}

/** Where the text that arrived is. */
function textOf({ event, issueNumber, commentId, reviewId }: GithubTrigger): string {
  if (event === 'review') return `pulls/${issueNumber}/reviews/${reviewId}`;
  if (commentId === null) return `issues/${issueNumber}`;
  return `${event === 'review_comment' ? 'pulls' : 'issues'}/comments/${commentId}`;
}

function repositoryOf({ owner, name }: RepositoryFacts): { owner: string; repo: string } {
  return { owner, repo: name };
}

/** Returns null if the resource does not exist, is hidden from us or has moved. */
async function unlessGone<T>(call: Promise<T>): Promise<T | null> {
  return await call.catch((error: unknown) => {
    if (meaningOf(error)?.kind === 'gone') return null;
    throw error;
  });
}

/** Returns null if no attempt could reach the repository: it is gone, refused to us, or not installed on. */
async function unlessClosed<T>(call: Promise<T>): Promise<T | null> {
  return await call.catch((error: unknown) => {
    if (isFinal(error)) return null;
    throw error;
  });
}
