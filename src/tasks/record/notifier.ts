/**
 * Creates and edits a task's post: the sticky comment on GitHub, the message in Slack, none for the API.
 * `progress-post.ts` decides when; `github/comments.ts` and `slack/task-message.ts` write the text.
 */
import type { CodeHost } from '../../core/ports/code-host.ts';
import { ChatRateLimitedError, type Chat, type TaskIndex } from '../../core/ports/chat-port.ts';
import type { TaskView } from '../../core/task-view.ts';
import type { Posted, RecordState } from './record-state.ts';

export interface Notifier {
  /** Creates or edits the post. null if the task has no place for one. Rejects on transient errors. */
  show(state: RecordState, view: TaskView): Promise<Posted | null>;
  /** Milliseconds that a rate limit asks to wait; null if the error is no rate limit. */
  rateLimitMs(error: unknown): number | null;
}

export interface NotifierDeps {
  readonly codeHost: Pick<CodeHost, 'saveProgressComment'>;
  readonly renderComment: (view: TaskView) => string;
  /** null if Slack is not configured. */
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
          // Without an installation there is no identity to comment as.
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
          return { surface: 'slack', channelId: ref.channelId, ts: ref.ts };
        }
      }
    },
    rateLimitMs: (error) => (error instanceof ChatRateLimitedError ? error.retryAfterMs : null),
  };
}
