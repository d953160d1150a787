/**
 * Connects to Slack over Socket Mode, and posts each envelope to the Worker as the signed request that Slack
 * would have sent. Bolt's receiver connects; this reconnects, because Bolt's own way has no bound and can end
 * the process.
 */
import { createHmac } from 'node:crypto';
import { LogLevel, SocketModeReceiver } from '@slack/bolt';
import { z } from 'zod';
import { withDeadline } from '../src/lib/with-deadline.ts';
import { parseJson } from '../src/lib/parse-json.ts';
import { silentLogger } from '../src/slack/web-api.ts';

export interface SlackSocketOptions {
  /** `xapp-…` with the scope `connections:write`. */
  readonly appToken: string;
  /** Base URL of the Web API, with a trailing slash. */
  readonly apiUrl: string;
  /** The secret with which the Worker verifies requests. */
  readonly signingSecret: string;
  /** URL of the Worker, without a trailing slash. */
  readonly url: string;
  log(event: { readonly event: string } & Readonly<Record<string, unknown>>): void;
}

export interface SlackSocket {
  /** Resolves when the connection is closed and all envelopes are handled, or after five seconds. */
  stop(): Promise<void>;
}

/** Slack waits 3 s for an acknowledgement; the Worker answers within 2.8 s. */
const answerDeadlineMs = 2_900;
const connectDeadlineMs = 10_000;
const stopDeadlineMs = 5_000;
/** Slack closes connections every few hours. After one that lasted this long, reconnect at once. */
const stableMs = 10_000;
/** Exponential back-off after a failure. */
const firstBackoffMs = 1_000;
const maxBackoffMs = 60_000;

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

/** Keeps the connection until `stop`. Rejects, for people, when Slack refuses or is out of reach. */
export async function startSlackSocket(options: SlackSocketOptions): Promise<SlackSocket> {
  const inFlight = new Set<Promise<void>>();
  const stopping = new AbortController();
  const receive = (untrusted: unknown): void => {
    const handling = handle(untrusted, options);
    inFlight.add(handling);
    void handling.finally(() => inFlight.delete(handling));
  };
  let connection = await connect(options, receive).catch((error: unknown) => {
    throw new Error(problemOf(error), { cause: error });
  });
  options.log({ event: 'slack.socket_connected' });

  const reconnecting = keepConnected();
  return {
    async stop() {
      stopping.abort();
      connection.close();
      await Promise.race([Promise.allSettled([reconnecting, ...inFlight]), delay(stopDeadlineMs, null)]);
    },
  };

  async function keepConnected(): Promise<void> {
    let waitMs = 0;
    while (true) {
      const since = Date.now();
      await connection.closed;
      // A connection that closes at once counts as a failure.
      waitMs = Date.now() - since >= stableMs ? 0 : nextBackoff(waitMs);
      let connected = false;
      while (!connected) {
        await delay(waitMs, stopping.signal);
        if (stopping.signal.aborted) return;
        try {
          connection = await connect(options, receive);
          connected = true;
          options.log({ event: 'slack.socket_connected' });
        } catch (error) {
          waitMs = nextBackoff(waitMs);
          options.log({ event: 'slack.socket_failed', problem: problemOf(error), waitMs });
        }
      }
      // `stop` was called during `connect` and closed the previous connection only.
      if (stopping.signal.aborted) connection.close();
    }
  }
}

function nextBackoff(waitMs: number): number {
  return Math.min(Math.max(waitMs * 2, firstBackoffMs), maxBackoffMs);
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
function delay(ms: number, signal: AbortSignal | null): Promise<void> {
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
  /** Resolves when either side has closed the connection. */
  readonly closed: Promise<void>;
  close(): void;
}

async function connect(
  options: SlackSocketOptions,
  receive: (untrusted: unknown) => void,
): Promise<Connection> {
  const { client } = new SocketModeReceiver({
    appToken: options.appToken,
    logger: silentLogger(LogLevel.ERROR),
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
  // Not through the receiver's App, which parses the payload and loses the type of the envelope.
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
    // Without an acknowledgement Slack shows an error or redelivers the event, as after an HTTP error.
    if (answer.ok)
      await envelope.ack(envelope.accepts_response_payload === true ? payloadOf(body) : undefined);
    else options.log({ event: 'slack.envelope_failed', kind: envelope.type, status: answer.status });
  } catch (error) {
    options.log({ event: 'slack.envelope_failed', kind: envelope.type, problem: problemOf(error) });
  }
}

/** Builds the HTTP request that Slack would send; null for an unknown type. `at`: seconds since the epoch. */
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
      // Checked, because a header must not contain line ends.
      ...(/^[a-z_]{1,40}$/.test(retryReason) ? { 'x-slack-retry-reason': retryReason } : {}),
    },
  };
}

/** See https://docs.slack.dev/apis/events-api/comparing-http-socket-mode for the differences in encoding. */
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

/** Returns a JSON object parsed, any other text unchanged, and undefined for an empty acknowledgement. */
function payloadOf(body: string): string | Record<string, unknown> | undefined {
  if (body.trim() === '') return undefined;
  return z.record(z.string(), z.unknown()).safeParse(parseJson(body)).data ?? body;
}

const slackErrorSchema = z.object({ data: z.object({ error: z.string().regex(/^[a-z0-9_]{1,80}$/) }) });

/** Error codes that a correct token would not cause. */
const invalid = 'is not valid any more, or was not copied completely';
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
    return (
      `Slack does not accept SLACK_APP_TOKEN (${code}): it ${token}. ` +
      'Generate an app-level token under Basic Information on the app’s page'
    );
  if (code !== undefined)
    return `Slack refused the Socket Mode connection (${code}): is Socket Mode turned on for the app?`;
  if (error instanceof Error) return `Slack could not be reached: ${error.message.slice(0, 300)}`;
  return 'Slack closed the connection before it was open';
}
