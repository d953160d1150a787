/** Implements the `Chat` port with Slack's Web API. Each call has a deadline and no retry. */
import type { AgentStatus, ChatMessageRef } from '../core/chat.ts';
import type { Chat } from '../core/ports/chat-port.ts';
import type { SlackPolicy } from '../core/policy.ts';
import type { TaskView } from '../core/task-view.ts';
import { sessionDeadlineMs, showStatus } from './agent-session.ts';
import { fetchSlackFile } from './files.ts';
import { findPerson, isInGroup } from './people.ts';
import { taskMessage } from './task-message.ts';
import { savePost, notifyRequester, type Posting } from './task-post.ts';
import { readThreadContext, unreadableThread } from './thread-context.ts';
import { refusalOf, slackCall, SlackRefusal, slackWebClient, type SlackApi } from './web-api.ts';

export interface ChatDeps extends SlackApi {
  readonly policy: SlackPolicy;
  /** The address of a task's page; null, or left out, where pages are off. */
  readonly taskUrl?: (taskId: string) => string | null;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Limit of user groups to look up. A sensible configuration lists fewer. */
const maxGroups = 30;

/** Creates the adapter. See the port for each method’s result and errors. */
export function createChat(deps: ChatDeps): Chat {
  const { policy, log, now = Date.now } = deps;
  // One client per call, because its queue must not outlive a request in workerd.
  const client = async () => await slackWebClient(deps);

  return {
    async person(userId, groupIds) {
      const slack = await client();
      const person = await findPerson(slack, policy, userId);
      if (person === null || person.kind !== 'member') return person;
      const asked = [...new Set(groupIds)].slice(0, maxGroups);
      const among = await Promise.all(
        asked.map(async (groupId) => ({ groupId, is: await isInGroup(slack, groupId, userId, log) })),
      );
      return { ...person, groups: among.filter(({ is }) => is).map(({ groupId }) => groupId) };
    },

    async threadContext(trigger) {
      const { threadTs } = trigger;
      if (threadTs === null) return null;
      const slack = await client();
      try {
        return await readThreadContext(slack, { ...trigger, threadTs }, (userId) =>
          findPerson(slack, policy, userId),
        );
      } catch (error) {
        if (!(error instanceof SlackRefusal)) throw error;
        log('slack.thread_refused', { channel: trigger.channelId, method: error.method, code: error.code });
        return unreadableThread;
      }
    },

    async attachment(ref) {
      return await fetchSlackFile(ref.fileId, { ...deps, client: await client() });
    },

    async react(trigger, name) {
      const { messageTs } = trigger;
      if (messageTs === null) return;
      const slack = await client();
      try {
        await slackCall('reactions.add', () =>
          slack.reactions.add({ channel: trigger.channelId, timestamp: messageTs, name }),
        );
      } catch (error) {
        if (!(error instanceof SlackRefusal)) throw error;
        if (refusalOf(error, 'done') === null) log('slack.reaction_refused', { code: error.code });
      }
    },

    async saveTaskMessage(trigger, view, known) {
      const posting: Posting = {
        client: await client(),
        trigger,
        view,
        message: taskMessage(view, trigger, deps.taskUrl?.(view.taskId) ?? null),
        now,
        log,
      };
      const session = {
        ...posting,
        client: await slackWebClient({ ...deps, timeoutMs: sessionDeadlineMs }),
      };
      if (known !== null) {
        // Together, because the edit shows what Codex does now.
        const [ref, agent] = await Promise.all([savePost(posting, known), showStatus(session, known)]);
        return ref === null ? null : withStatus(ref, agent);
      }
      // Who asked on a page sees it there.
      if (isForRequesterOnly(view) && view.repeats !== null) return null;
      const ref = isForRequesterOnly(view) ? await notifyRequester(posting) : await savePost(posting, null);
      return ref === null ? null : withStatus(ref, await showStatus(session, ref));
    },

    async permalink(trigger) {
      const { messageTs } = trigger;
      if (messageTs === null) return null;
      const slack = await client();
      try {
        const { permalink } = await slackCall('chat.getPermalink', () =>
          slack.chat.getPermalink({ channel: trigger.channelId, message_ts: messageTs }),
        );
        return typeof permalink === 'string' && /^https?:\/\/\S{1,1000}$/.test(permalink) ? permalink : null;
      } catch (error) {
        log('slack.permalink_failed', { error: String(error) });
        return null;
      }
    },
  };
}

const withStatus = (ref: ChatMessageRef, agent: AgentStatus | undefined): ChatMessageRef => ({
  ...ref,
  ...(agent === undefined ? {} : { agent }),
});

/** A refusal or an answer to a question is shown only to the requester. */
function isForRequesterOnly({ outcome }: TaskView): boolean {
  return outcome?.kind === 'refused' || outcome?.kind === 'answered';
}
