/**
 * Registers the listeners with Bolt. One app serves all requests and keeps no state of a request. So no
 * listener uses Bolt's client, whose queue would not survive the end of the request in workerd.
 *
 * - `authorize` replaces the token option, with which Bolt would call `auth.test` first.
 * - `ignoreSelf` is off, because it needs the bot's ids, and `events.ts` ignores all bots anyway.
 * - Listeners act before they acknowledge, so nothing that was acknowledged is lost.
 */
import { App, LogLevel, type Logger, type RespondFn } from '@slack/bolt';
import { answerAction, clickPattern } from './actions.ts';
import { answerCommand } from './commands.ts';
import { DeadlineError, withDeadline } from '../lib/with-deadline.ts';
import { callDeadlineMs, workDeadlineMs } from './deadline.ts';
import { answerEvent, eventPattern } from './events.ts';
import type { Intake } from './intake.ts';
import { actionIds, callbackIds, formFields } from './names.ts';
import { HonoReceiver } from './receiver.ts';
import { ephemeral, sentences } from './sentences.ts';
import { acceptForm, openFormOnMessage, suggestChoices, suggestRepositories } from './views.ts';
import { slackFetch } from './web-api.ts';
import { UnreadablePayloadError } from './unreadable.ts';

type Log = (event: string, fields: Record<string, unknown>) => void;

/** Logs Bolt's warnings without the payloads that it attaches. */
function boltLogger(log: Log): Logger {
  const line =
    (level: string) =>
    (...args: unknown[]): void => {
      const [first] = args;
      log('slack.bolt', { level, text: typeof first === 'string' ? first.slice(0, 200) : 'no text' });
    };
  const silent = (): void => {
    // below the log level
  };
  return {
    debug: silent,
    info: silent,
    warn: line('warn'),
    error: line('error'),
    setLevel: silent,
    getLevel: () => LogLevel.WARN,
    setName: silent,
  };
}

/** Acts, acknowledges the click, and then sends the result or the error to the user. */
async function answerClick(
  intake: Intake,
  reply: { readonly ack: () => Promise<void>; readonly respond: RespondFn | undefined },
  act: () => Promise<string | null>,
): Promise<void> {
  let text: string | null;
  try {
    text = await withDeadline(act(), workDeadlineMs, 'what a click asks for');
  } catch (error) {
    if (error instanceof UnreadablePayloadError) throw error;
    intake.deps.log('slack.failed', { kind: 'action', error: String(error) });
    text = error instanceof DeadlineError ? sentences.late : sentences.failed;
  }
  await reply.ack();
  if (text === null) return;
  if (reply.respond === undefined) intake.deps.log('slack.notify_failed', { why: 'no response_url' });
  else await reply.respond({ ...ephemeral(text), replace_original: false });
}

/** Creates the app and returns its receiver. */
export function createSlackApp(intake: Intake): HonoReceiver {
  const { deps } = intake;
  const receiver = new HonoReceiver({ log: deps.log });
  const send = slackFetch(deps.fetch);
  const app = new App({
    receiver,
    authorize: async () => await Promise.resolve({ botToken: deps.botToken }),
    ignoreSelf: false,
    convoStore: false,
    logger: boltLogger(deps.log),
    clientOptions: {
      slackApiUrl: deps.apiUrl,
      fetch: async (url, init) => await send(url, { ...init, signal: AbortSignal.timeout(callDeadlineMs) }),
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      allowAbsoluteUrls: false,
    },
  });
  // Rethrow, so that the receiver answers. Bolt's default handler would only print the error.
  app.error(async (error) => {
    throw error;
  });

  app.command(/^\//, async ({ ack, body }) => {
    const text = await answerCommand(intake, body);
    await ack(text === null ? undefined : ephemeral(text));
  });

  // One listener with a pattern per kind, because Bolt checks every listener on every request.
  app.event(eventPattern, async ({ body, context }) => {
    await answerEvent(intake, body, { answeredLate: context.retryReason === 'http_timeout' });
  });

  app.action(clickPattern, async ({ ack, respond, body }) => {
    await answerClick(
      intake,
      { ack: async () => await ack(), respond },
      async () => await answerAction(intake, body),
    );
  });
  app.action(actionIds.openPullRequest, async ({ ack }) => await ack());

  app.shortcut(
    { callback_id: callbackIds.shortcut, type: 'message_action' },
    async ({ ack, respond, body }) => {
      await answerClick(intake, { ack: async () => await ack(), respond }, async () => {
        await openFormOnMessage(intake, body);
        return null;
      });
    },
  );

  app.options(formFields.repository, async ({ ack, body }) => {
    await ack(
      await withDeadline(suggestRepositories(intake, body), workDeadlineMs, 'the list of repositories'),
    );
  });

  app.options(actionIds.choose, async ({ ack, body }) => {
    await ack(await withDeadline(suggestChoices(intake, body), workDeadlineMs, 'the list of choices'));
  });

  app.view(callbackIds.form, async ({ ack, body }) => {
    await ack((await acceptForm(intake, body)) ?? undefined);
  });
  return receiver;
}
