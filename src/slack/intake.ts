/**
 * What every listener works with, and the two things that the intake does in Slack itself: open a form or a log, and tell one
 * person something that nobody else sees.
 */
import type { ModalView } from '@slack/types';
import type { SlackPolicy } from '../core/policy.ts';
import { callDeadlineMs } from './deadline.ts';
import type { SlackDeps } from './deps.ts';
import { isClosedPlace, slackCall, slackWebClient } from './web-api.ts';

export interface Intake {
  readonly deps: SlackDeps;
  readonly slack: SlackPolicy;
  /** `triggerId` is good for 3 s, once. Rejects when Slack does not take it. */
  openView(triggerId: string, view: ModalView): Promise<void>;
  /** Where the person is, or, when that place takes no message, directly. Rejects when neither worked. */
  tell(to: {
    readonly userId: string;
    readonly channelId: string;
    readonly threadTs: string | null;
    readonly text: string;
  }): Promise<void>;
}

export function createIntake(deps: SlackDeps, slack: SlackPolicy): Intake {
  const connect = () =>
    slackWebClient({
      botToken: deps.botToken,
      apiUrl: deps.apiUrl,
      fetch: deps.fetch,
      timeoutMs: callDeadlineMs,
    });
  return {
    deps,
    slack,
    openView: async (triggerId, view) => {
      const client = connect();
      await slackCall('views.open', async () => await client.views.open({ trigger_id: triggerId, view }));
    },
    tell: async ({ userId, channelId, threadTs, text }) => {
      const client = connect();
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
        if (!isClosedPlace(error)) throw error;
        // eslint-disable-next-line unicorn/require-post-message-target-origin -- Slack's method, not a window's
        const post = async () => await client.chat.postMessage({ channel: userId, text });
        await slackCall('chat.postMessage', post);
      }
    },
  };
}
