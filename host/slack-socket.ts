/**
 * Slack without a public address: Bolt's Socket Mode receiver, whose envelopes are handed to the Worker as the signed HTTP
 * requests that Slack would have sent, so that there is one intake for both ways. Decides nothing about what they say.
 *
 * The receiver connects, pings and acknowledges. Connecting again is done here: its own way ends the process with an
 * unhandled rejection when Slack answers badly at that moment, and waits longer after each failure without a bound.
 */
import { createHmac } from 'node:crypto';
import { SocketModeReceiver, LogLevel, type Logger } from '@slack/bolt';
import { z } from 'zod';
import { withDeadline } from '../src/lib/with-deadline.ts';
import { parseJson } from '../src/lib/parse-json.ts';

export interface SlackSocketOptions {
  /** `xapp-…` with the scope `connections:write`. */
  readonly appToken: string;
  /** Base of the Web API with a slash at the end. */
  readonly apiUrl: string;
  /** The same that the Worker verifies with. */
  readonly signingSecret: string;
  /** Of the Worker, without a slash at the end. */
  readonly url: string;
  log(event: { readonly event: string } & Readonly<Record<string, unknown>>): void;
}

export interface SlackSocket {
  /** Resolves when the connection is closed and no envelope is under way, after at most five seconds. */
  stop(): Promise<void>;
}

/** Slack waits three seconds for an acknowledgement; the Worker takes 2.8 at most. */
const answerDeadlineMs = 2_900;
const connectDeadlineMs = 10_000;
const stopDeadlineMs = 5_000;
/** Slack closes a connection every few hours: after one that lived this long there is no wait. */
const steadyMs = 10_000;
/** After a failure: doubled from the first to the second. */
const firstWaitMs = 1_000;
const longestWaitMs = 60_000;

/** https://docs.slack.dev/apis/events-api/using-socket-mode#events */
const envelopeSchema = z.object({
  type: z.string(),
  body: z.record(z.string(), z.unknown()),
  retry_num: z.number().optional(),
  retry_reason: z.string().optional(),
  accepts_response_payload: z.boolean().optional(),
  ack: z.custom<(payload?: string | Record<string, unknown>) => Promise<void>>(
    (value) => typeof value === 'function',
  ),
});
type Envelope = z.infer<typeof envelopeSchema>;

/** Rejects with a sentence for people when Slack refuses the token or is not reached. Afterwards it stays connected until `stop`. */
export async function startSlackSocket(options: SlackSocketOptions): Promise<SlackSocket> {
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  const receive = (untrusted: unknown): void => {
    const handling = handle(untrusted, options);
    underWay.add(handling);
    void handling.finally(() => underWay.delete(handling));
  };
  let connection = await connect(options, receive).catch((error: unknown) => {
    throw new Error(problemOf(error), { cause: error });
  });
  options.log({ event: 'slack.socket_connected' });

  const staying = stayConnected();
  return {
    async stop() {
      stopping.abort();
      connection.close();
      await Promise.race([Promise.allSettled([staying, ...underWay]), waited(stopDeadlineMs, null)]);
    },
  };

  async function stayConnected(): Promise<void> {
    let waitMs = 0;
    while (true) {
      const since = Date.now();
      await connection.closed;
      // A connection that is closed at once, again and again, is a failure too.
      waitMs = Date.now() - since >= steadyMs ? 0 : longer(waitMs);
      let connected = false;
      while (!connected) {
        await waited(waitMs, stopping.signal);
        if (stopping.signal.aborted) return;
        try {
          connection = await connect(options, receive);
          connected = true;
          options.log({ event: 'slack.socket_connected' });
        } catch (error) {
          waitMs = longer(waitMs);
          options.log({ event: 'slack.socket_failed', problem: problemOf(error), waitMs });
        }
      }
      // Stopped while it connected: `stop` closed the one before.
      if (stopping.signal.aborted) connection.close();
    }
  }
}

function longer(waitMs: number): number {
  return Math.min(Math.max(waitMs * 2, firstWaitMs), longestWaitMs);
}

/** Resolves early when it is aborted. */
function waited(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
    if (signal?.aborted === true) resolve();
    if (signal === null) timer.unref();
  });
}

interface Connection {
  /** Resolves when it is closed, by whichever side. */
  readonly closed: Promise<void>;
  close(): void;
}

async function connect(
  options: SlackSocketOptions,
  receive: (untrusted: unknown) => void,
): Promise<Connection> {
  const { client } = new SocketModeReceiver({
    appToken: options.appToken,
    logger: silent,
    autoReconnectEnabled: false,
    installerOptions: {
      clientOptions: {
        slackApiUrl: options.apiUrl,
        timeout: connectDeadlineMs,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
      },
    },
  });
  // Not through the receiver's App: that would read the payload, and the kind of the envelope is lost on the way.
  client.on('slack_event', receive);
  const closed = new Promise<void>((resolve) => {
    client.once('disconnected', () => resolve());
  });
  const close = (): void => {
    void client.disconnect();
  };
  try {
    await withDeadline(client.start(), connectDeadlineMs, 'connecting to Slack');
  } catch (error) {
    close();
    throw error;
  }
  return { closed, close };
}

async function handle(untrusted: unknown, options: SlackSocketOptions): Promise<void> {
  const parsed = envelopeSchema.safeParse(untrusted);
  if (!parsed.success) {
    options.log({ event: 'slack.envelope_refused', problem: 'not an envelope' });
    return;
  }
  const envelope = parsed.data;
  const request = requestOf(envelope, options.signingSecret, Math.floor(Date.now() / 1000));
  if (request === null) {
    options.log({
      event: 'slack.envelope_refused',
      problem: 'of an unknown kind',
      kind: envelope.type.slice(0, 40),
    });
    return;
  }
  try {
    const answer = await fetch(`${options.url}/slack/events`, {
      method: 'POST',
      ...request,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerDeadlineMs),
    });
    const body = await answer.text();
    // Without an acknowledgement Slack tells the person, or sends an event again: what an error's status does over HTTP.
    if (answer.ok)
      await envelope.ack(envelope.accepts_response_payload === true ? payloadOf(body) : undefined);
    else options.log({ event: 'slack.envelope_failed', kind: envelope.type, status: answer.status });
  } catch (error) {
    options.log({ event: 'slack.envelope_failed', kind: envelope.type, problem: problemOf(error) });
  }
}

/** As Slack encodes it over HTTP; null for a kind that is not known. `at`: seconds since the epoch. */
export function requestOf(
  envelope: Pick<Envelope, 'type' | 'body' | 'retry_num' | 'retry_reason'>,
  signingSecret: string,
  at: number,
): { readonly body: string; readonly headers: Record<string, string> } | null {
  const encoded = encode(envelope.type, envelope.body);
  if (encoded === null) return null;
  const { body, contentType } = encoded;
  const hash = createHmac('sha256', signingSecret).update(`v0:${at}:${body}`).digest('hex');
  const { retry_num: retryNum = 0, retry_reason: retryReason = '' } = envelope;
  return {
    body,
    headers: {
      'content-type': contentType,
      'x-slack-request-timestamp': String(at),
      'x-slack-signature': `v0=${hash}`,
      ...(retryNum > 0 ? { 'x-slack-retry-num': String(retryNum) } : {}),
      // A header takes no line ends, whatever the envelope says.
      ...(/^[a-z_]{1,40}$/.test(retryReason) ? { 'x-slack-retry-reason': retryReason } : {}),
    },
  };
}

/** https://docs.slack.dev/apis/events-api/comparing-http-socket-mode: the payloads are the same, their packing differs. */
function encode(
  type: string,
  payload: Readonly<Record<string, unknown>>,
): { readonly body: string; readonly contentType: string } | null {
  const form = new URLSearchParams();
  switch (type) {
    case 'events_api':
      return { body: JSON.stringify(payload), contentType: 'application/json' };
    case 'slash_commands':
      for (const [name, value] of Object.entries(payload))
        form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
      break;
    case 'interactive':
      form.set('payload', JSON.stringify(payload));
      break;
    default:
      return null;
  }
  return { body: form.toString(), contentType: 'application/x-www-form-urlencoded' };
}

/** JSON as it is, text as the message that it is; nothing for a bare acknowledgement. */
function payloadOf(body: string): string | Record<string, unknown> | undefined {
  if (body.trim() === '') return undefined;
  return z.record(z.string(), z.unknown()).safeParse(parseJson(body)).data ?? body;
}

const slackErrorSchema = z.object({ data: z.object({ error: z.string().regex(/^[a-z0-9_]{1,80}$/) }) });

/** Errors that another token would not have. */
const invalid = 'is not valid any more, or was not copied whole';
const tokenProblems: Readonly<Record<string, string>> = {
  missing_scope: 'lacks the scope connections:write',
  not_allowed_token_type: 'is not an app-level token',
  invalid_auth: invalid,
  not_authed: invalid,
  token_revoked: invalid,
  token_expired: invalid,
  account_inactive: invalid,
};

function problemOf(error: unknown): string {
  const code = slackErrorSchema.safeParse(error).data?.data.error;
  const token = code === undefined ? undefined : tokenProblems[code];
  if (code !== undefined && token !== undefined)
    return `Slack does not accept SLACK_APP_TOKEN (${code}): it ${token}; app-level tokens are made under Basic Information on the app’s page`;
  if (code !== undefined) return `Slack opens no socket (${code}): is Socket Mode turned on for the app?`;
  if (error instanceof Error) return `Slack was not reached: ${error.message.slice(0, 300)}`;
  return 'Slack closed the connection before it was open';
}

/** The client logs payloads and its own failures to the console; what matters is in our own log. */
const silent: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  setLevel: ignore,
  getLevel: (): LogLevel => LogLevel.ERROR,
  setName: ignore,
};
function ignore(): void {
  // See `silent`.
}
