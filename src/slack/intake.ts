/** The context of all listeners: dependencies, policy, and the calls that they make to Slack. */
import type { ModalView } from '@slack/types';
import type { SlackPolicy } from '../core/policy.ts';
import { callDeadlineMs } from './deadline.ts';
import type { SlackDeps } from './deps.ts';
import { refusalOf, slackCall, slackWebClient } from './web-api.ts';

export interface Intake {
  readonly deps: SlackDeps;
  readonly slack: SlackPolicy;
  /** Opens a view. A `triggerId` works once, within 3 s. Rejects like `slackCall`. */
  openView(triggerId: string, view: ModalView): Promise<void>;
  /** Sends an ephemeral message, or a direct message if the channel refuses it. Rejects if both fail. */
  notifyPerson(to: {
    readonly userId: string;
    readonly channelId: string;
    readonly threadTs: string | null;
    readonly text: string;
  }): Promise<void>;
  /** Takes the status off a thread in which nothing runs. Never rejects: Slack drops it after an hour. */
  endSession(channelId: string, threadTs: string): Promise<void>;
}

/** Each call uses a new client, because its queue must not outlive a request in workerd. */
export function createIntake(deps: SlackDeps, slack: SlackPolicy): Intake {
  const connect = async () =>
    await slackWebClient({
      botToken: deps.botToken,
      apiUrl: deps.apiUrl,
      fetch: deps.fetch,
      timeoutMs: callDeadlineMs,
    });
  return {
    deps,
    slack,
    openView: async (triggerId, view) => {
      const client = await connect();
      await slackCall('views.open', async () => await client.views.open({ trigger_id: triggerId, view }));
    },
    notifyPerson: async ({ userId, channelId, threadTs, text }) => {
      const client = await connect();
      try {
        await slackCall(
          'chat.postEphemeral',
          async () =>
            await client.chat.postEphemeral({
              channel: channelId,
              user: userId,
              text,
              ...(threadTs === null ? {} : { thread_ts: threadTs }),
            }),
        );
      } catch (error) {
        if (refusalOf(error, 'closed', 'refused') === null) throw error;
        // eslint-disable-next-line unicorn/require-post-message-target-origin -- not window.postMessage
        const post = async () => await client.chat.postMessage({ channel: userId, text });
        await slackCall('chat.postMessage', post);
      }
    },
    endSession: async (channelId, threadTs) => {
      const thread = { channel_id: channelId, thread_ts: threadTs };
      try {
        const client = await connect();
        await slackCall('agents.sessions.setStatus', () =>
          client.agents.sessions.setStatus({ ...thread, status: 'active' }),
        );
      } catch (error) {
        deps.log('slack.session_failed', { error: String(error) });
      }
    },
  };
}
