/**
 * Bolt's app: which listener answers what, and how each gives its answer. One for all requests, and nothing of a request stays in it. So
 * no listener uses the client that Bolt hands it: that one has a queue, which workerd lets die with the request that filled it.
 *
 * `authorize` instead of a token: with a token Bolt asks Slack who it is before anything else. `ignoreSelf` is off: it would need the bot's ids,
 * and `events.ts` leaves out all software, not only this one. Nothing that is acknowledged is left undone: listeners act first.
 */
import { App, LogLevel, type Logger, type RespondFn } from '@slack/bolt';
import { answerAction, clickPattern } from './actions.ts';
import { answerCommand } from './commands.ts';
import { DeadlineError, withDeadline } from '../lib/with-deadline.ts';
import { callDeadlineMs, workDeadlineMs } from './deadline.ts';
import { answerEvent, eventPattern } from './events.ts';
import type { Intake } from './intake.ts';
import { actionIds, callbackIds, formFields } from './names.ts';
import type { HonoReceiver } from './receiver.ts';
import { ephemeral, sentences } from './sentences.ts';
import { acceptForm, openFormOnMessage, suggestChoices, suggestRepositories } from './views.ts';
import { slackFetch } from './web-api.ts';
import { UnreadablePayloadError } from './unreadable.ts';

type Log = (event: string, fields: Record<string, unknown>) => void;

/** Bolt's own warnings, without the payloads that it attaches to some. */
function boltLogger(log: Log): Logger {
  const line =
    (level: string) =>
    (...said: unknown[]): void => {
      const [first] = said;
      log('slack.bolt', { level, said: typeof first === 'string' ? first.slice(0, 200) : 'no text' });
    };
  const silent = (): void => {
    // below what Bolt is asked for
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

/** Acts, acknowledges, and then says how it went to who clicked; nothing that fails is silent. */
async function clicked(
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
  if (reply.respond === undefined) intake.deps.log('slack.unheard', { why: 'no response_url' });
  else await reply.respond({ ...ephemeral(text), replace_original: false });
}

/** The receiver hands the request in; see `routes.ts`. */
export function createSlackApp(intake: Intake, receiver: HonoReceiver): void {
  const { deps } = intake;
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
  // The receiver answers for what fails; Bolt's own handler would only print it.
  app.error(async (error) => {
    throw error;
  });

  app.command(/^\//, async ({ ack, body }) => {
    const text = await answerCommand(intake, body);
    await ack(text === null ? undefined : ephemeral(text));
  });

  // Few listeners with patterns: Bolt asks each of them at every request.
  app.event(eventPattern, async ({ body, context }) => {
    await answerEvent(intake, body, { answeredLate: context.retryReason === 'http_timeout' });
  });

  app.action(clickPattern, async ({ ack, respond, body }) => {
    await clicked(
      intake,
      { ack: async () => await ack(), respond },
      async () => await answerAction(intake, body),
    );
  });
  app.action(actionIds.openPullRequest, async ({ ack }) => await ack());

  app.shortcut(
    { callback_id: callbackIds.shortcut, type: 'message_action' },
    async ({ ack, respond, body }) => {
      await clicked(intake, { ack: async () => await ack(), respond }, async () => {
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
}
