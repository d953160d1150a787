/**
 * Shows a task where it was asked: the sticky comment on GitHub, the message in Slack, nowhere for the API. When it is
 * shown, and how often, is the record's decision; what it says is `github/comments.ts`'s and `slack/task-message.ts`'s.
 */
import type { CodeHost } from '../../core/ports/code-host.ts';
import { ChatRateLimitedError, type Chat, type TaskIndex } from '../../core/ports/chat-port.ts';
import type { TaskView } from '../../core/task-view.ts';
import type { Posted, TaskState } from './task-state.ts';

export interface Notifier {
  /** Where it stands now; null when it has no place of its own. Rejects on what may pass. */
  show(state: TaskState, view: TaskView): Promise<Posted | null>;
  /** Milliseconds that the place asks to be left alone; null when the error asks no such thing. */
  quietFor(error: unknown): number | null;
}

export interface NotifierDeps {
  readonly codeHost: Pick<CodeHost, 'saveProgressComment'>;
  readonly renderComment: (view: TaskView) => string;
  /** null: Slack is not configured. */
  readonly chat: Pick<Chat, 'saveTaskMessage'> | null;
  readonly index: Pick<TaskIndex, 'put'>;
}

export function createNotifier(deps: NotifierDeps): Notifier {
  return {
    async show(state, view) {
      const { request, facts, posted } = state;
      switch (request.trigger.kind) {
        case 'api':
          return null;
        case 'github': {
          // Before the App is found on the repository there is nobody to write as.
          if (facts === null) return null;
          const known = posted?.surface === 'github' ? posted.commentId : null;
          const markdown = deps.renderComment(view);
          const commentId = await deps.codeHost.saveProgressComment(facts, request, markdown, known);
          return { surface: 'github', commentId };
        }
        case 'slack': {
          if (deps.chat === null) return null;
          const known = posted?.surface === 'slack' ? { channelId: posted.channelId, ts: posted.ts } : null;
          const { trigger } = request;
          const ref = await deps.chat.saveTaskMessage(trigger, view, known);
          if (ref === null) return null;
          if (ref.ts !== known?.ts) {
            // Found by replies and reactions from now on, also where the message had to go elsewhere.
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
          return { surface: 'slack', channelId: ref.channelId, ts: ref.ts };
        }
      }
    },
    quietFor: (error) => (error instanceof ChatRateLimitedError ? error.retryAfterMs : null),
  };
}
