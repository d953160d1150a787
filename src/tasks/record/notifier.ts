/** Creates and edits a task's post on GitHub or in Slack. `progress-post.ts` decides when. */
import type { CodeHost } from '../../core/ports/code-host.ts';
import type { Chat, TaskIndex } from '../../core/ports/chat-port.ts';
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
  readonly renderFolded: (view: TaskView, endCommentId: number) => string;
  /** null if Slack is not configured. */
  readonly chat: Pick<Chat, 'saveTaskMessage'> | null;
  readonly index: Pick<TaskIndex, 'put'>;
}

export function createNotifier(deps: NotifierDeps): Notifier {
  return {
    async show(state, view) {
      const { request, posted } = state;
      switch (request.trigger.kind) {
        case 'api':
          return null;
        case 'github': {
          const facts = state.facts ?? signedPlace(request);
          if (facts === null) return null;
          const known = posted?.surface === 'github' ? posted.commentId : null;
          const markdown = deps.renderComment(view);
          const { saveProgressComment, saveEndComment } = deps.codeHost;
          // GitHub notifies nobody of an edit. A pull request notifies the requester itself.
          if (known !== null && view.outcome !== null && view.outcome.kind !== 'pull-request') {
            const end = await saveEndComment(facts, request, markdown, state.attempts.length);
            await saveProgressComment(facts, request, deps.renderFolded(view, end), known);
            return { surface: 'github', commentId: known };
          }
          const saved = saveProgressComment(facts, request, markdown, known).catch(async (error: unknown) => {
            const elsewhere = isFinal(error) ? onPullRequest(request, view) : null;
            if (elsewhere === null) throw error;
            return await saveProgressComment(
              facts,
              elsewhere.request,
              `${elsewhere.why}\n\n${markdown}`,
              null,
            );
          });
          return { surface: 'github', commentId: await saved };
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

/** The request as if it had been made on the pull request that it led to; null if there is no other place. */
function onPullRequest(
  request: TaskRequest,
  { outcome }: TaskView,
): { readonly request: TaskRequest; readonly why: string } | null {
  const { trigger } = request;
  if (trigger.kind !== 'github' || outcome?.kind !== 'pull-request') return null;
  const { number } = outcome.pullRequest;
  if (number === trigger.issueNumber) return null;
  return {
    request: { ...request, trigger: { ...trigger, issueNumber: number, onPullRequest: true } },
    why: `Requested in #${trigger.issueNumber}, where GitHub no longer takes a comment.`,
  };
}
