/** Answers who mentions the bot in a shared channel from another workspace; else only logs. */
import * as z from 'zod';
import { slackChannelIdSchema, slackTsSchema, slackUserIdSchema } from '../core/task.ts';
import { callDeadlineMs } from './deadline.ts';
import type { Intake } from './intake.ts';
import type { Inbound } from './payload.ts';
import { formError, ephemeral, sentences } from './sentences.ts';
import { slackFetch } from './web-api.ts';

const clickedSchema = z.object({ response_url: z.url({ protocol: /^https?$/ }) });
const mentionedSchema = z.object({
  event: z.object({
    type: z.literal('app_mention'),
    user: slackUserIdSchema,
    bot_id: z.null().optional(),
    app_id: z.null().optional(),
    bot_profile: z.null().optional(),
    channel: slackChannelIdSchema,
    thread_ts: slackTsSchema.nullish(),
  }),
});

/** Returns the HTTP response, and a promise of the message that is sent after it (null: none). */
export function refuseStranger(
  intake: Intake,
  { kind, body, sender }: Inbound,
): { readonly response: Response; readonly after: Promise<unknown> | null } {
  const text = sentences.otherWorkspace;
  switch (kind) {
    case 'command':
      return { response: Response.json(ephemeral(text)), after: null };
    case 'submission':
      return { response: Response.json(formError(text)), after: null };
    case 'options':
      return { response: Response.json({ options: [] }), after: null };
    case 'action':
    case 'shortcut': {
      const clicked = clickedSchema.safeParse(body);
      const after = clicked.success ? postToResponseUrl(intake, clicked.data.response_url, text) : null;
      return { response: new Response(''), after };
    }
    case 'event': {
      const mentioned = mentionedSchema.safeParse(body);
      if (!mentioned.success || sender.workspace !== intake.slack.team)
        return { response: new Response(''), after: null };
      const { user, channel, thread_ts: threadTs } = mentioned.data.event;
      const told = intake.notifyPerson({
        userId: user,
        channelId: channel,
        threadTs: threadTs ?? null,
        text,
      });
      return { response: new Response(''), after: told };
    }
    case 'closed':
      return { response: new Response(''), after: null };
  }
}

/** Posts to a response URL, which is trusted because Slack signed it. */
async function postToResponseUrl({ deps }: Intake, responseUrl: string, text: string): Promise<void> {
  const response = await slackFetch(deps.fetch)(responseUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...ephemeral(text), replace_original: false }),
    signal: AbortSignal.timeout(callDeadlineMs),
  });
  if (!response.ok) throw new Error(`response_url answered ${response.status}`);
}
