/** Creates and edits a task's post on GitHub or in Slack. `progress-post.ts` decides when. */
import type { CodeHost } from '../../core/ports/code-host.ts';
import type { Chat, TaskIndex } from '../../core/ports/chat-port.ts';
import { threadOf } from '../../core/line-answers.ts';
import { isFinal } from '../../core/ports/upstream-error.ts';
import type { RepositoryFacts, TaskRequest } from '../../core/task.ts';
import type { TaskView } from '../../core/task-view.ts';
import type { Posted, RecordState } from './record-state.ts';

export interface Notifier {
  /** Null if the task has no place for a post. Rejects with whether a retry can help. */
  show(state: RecordState, view: TaskView): Promise<Posted | null>;
}

export interface NotifierDeps {
  readonly codeHost: Pick<CodeHost, 'saveProgressComment' | 'saveEndComment'>;
  readonly renderComment: (view: TaskView) => string;
  /** What remains of the progress comment when a comment of its own reports the end. */
  readonly renderFolded: (view: TaskView, end: { readonly id: number; readonly inThread: boolean }) => string;
  /** null if Slack is not configured. */
  readonly chat: Pick<Chat, 'saveTaskMessage'> | null;
  readonly index: Pick<TaskIndex, 'put'>;
}

export function createNotifier(deps: NotifierDeps): Notifier {
  async function showOnGithub(
    { request, why }: Place,
    facts: RepositoryFacts,
    { posted, attempts }: RecordState,
    view: TaskView,
  ): Promise<Posted> {
    const { saveProgressComment, saveEndComment } = deps.codeHost;
    const inThread = threadOf(request) !== null;
    const isKnown = why === null && posted?.surface === 'github' && (posted.inThread ?? false) === inThread;
    const known = isKnown ? posted.commentId : null;
    const markdown = `${why === null ? '' : `${why}\n\n`}${deps.renderComment(view)}`;
    const at = { surface: 'github', ...(inThread ? { inThread } : {}) } as const;
    // GitHub notifies nobody of an edit. A pull request notifies the requester itself.
    if (known !== null && view.outcome !== null && view.outcome.kind !== 'pull-request') {
      const id = await saveEndComment(facts, request, markdown, attempts.length);
      await saveProgressComment(facts, request, deps.renderFolded(view, { id, inThread }), known);
      return { ...at, commentId: known };
    }
    return { ...at, commentId: await saveProgressComment(facts, request, markdown, known) };
  }

  return {
    async show(state, view) {
      const { request, posted } = state;
      switch (request.trigger.kind) {
        case 'api':
          return null;
        case 'github': {
          const facts = state.facts ?? signedPlace(request);
          if (facts === null) return null;
          const [asked, ...others] = placesOf(request, view);
          let shown = showOnGithub(asked, facts, state, view);
          for (const place of others)
            shown = shown.catch(async (error: unknown) => {
              if (!isFinal(error)) throw error;
              return await showOnGithub(place, facts, state, view);
            });
          return await shown;
        }
        case 'slack': {
          if (deps.chat === null) return null;
          const known = posted?.surface === 'slack' ? posted : null;
          const { trigger } = request;
          const ref = await deps.chat.saveTaskMessage(trigger, view, known);
          if (ref === null) return null;
          if (ref.ts !== known?.ts) {
            // Replies and reactions find the task by its message, also where the message had to go to another
            // channel.
            await deps.index.put({
              taskId: request.taskId,
              shortId: request.shortId,
              userId: trigger.userId,
              channelId: ref.channelId,
              threadTs: ref.channelId === trigger.channelId ? (trigger.threadTs ?? ref.ts) : ref.ts,
              messageTs: trigger.messageTs,
              postedTs: ref.ts,
              at: Date.parse(request.acceptedAt),
            });
          }
          return { ...ref, surface: 'slack' };
        }
      }
    },
  };
}

/** As the signed payload names them; a token for them proves that the App is installed there. */
function signedPlace({ repository, trigger }: TaskRequest): RepositoryFacts | null {
  if (repository === null || trigger.kind !== 'github') return null;
  const { installationId, repositoryId } = trigger;
  return { ...repository, installationId, repositoryId, defaultBranch: '', private: true };
}

/** A place for the post, as the request that would have been made there. */
interface Place {
  readonly request: TaskRequest;
  /** Why it is not where it was asked; null there. */
  readonly why: string | null;
}

/** Where it was asked, then where people find it if GitHub takes no comment there. */
function placesOf(request: TaskRequest, { outcome }: TaskView): readonly [Place, ...Place[]] {
  const { trigger } = request;
  const asked = { request, why: null };
  if (trigger.kind !== 'github') return [asked];
  const { issueNumber } = trigger;
  if (threadOf(request) !== null) {
    const there = { ...request, trigger: { ...trigger, event: 'issue_comment' as const, commentId: null } };
    return [asked, { request: there, why: 'Requested in a line comment that takes no reply any more.' }];
  }
  if (outcome?.kind !== 'pull-request' || outcome.pullRequest.number === issueNumber) return [asked];
  const onPullRequest = { ...trigger, issueNumber: outcome.pullRequest.number, onPullRequest: true };
  return [
    asked,
    {
      request: { ...request, trigger: onPullRequest },
      why: `Requested in #${issueNumber}, where GitHub no longer takes a comment.`,
    },
  ];
}
