/**
 * Calls Slack's Web API from workerd and Node: with a deadline, without redirects, and with errors classified
 * as refusal, rate limit, unavailable or unknown.
 *
 * Never retries. After a failed post the message may exist, so the caller looks for it first. The caller also
 * handles rate limits, because a task's record can schedule the next attempt.
 */
import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebClient,
  LogLevel,
  type Logger,
} from '@slack/web-api';
import { ChatRateLimitedError } from '../core/ports/chat-port.ts';

export interface SlackApi {
  readonly botToken: string;
  /** Base URL of the Web API, with a trailing slash. */
  readonly apiUrl: string;
  readonly fetch: typeof fetch;
  /** Deadline of one call including its body, in ms. Default 10,000. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/**
 * Adapts `fetch` for Slack's client in workerd, which rejects the client's `redirect: 'error'` and its call
 * of `fetch` as a method. Throws on a redirect, so that the token is never sent to another address.
 */
export function slackFetch(platformFetch: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await platformFetch(input, { ...init, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400)
      throw new TypeError('Slack answered with a redirect');
    return response;
  };
}

/** Silences Slack's clients, which would log payloads to the console. Callers log errors. */
export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  setLevel: ignore,
  getLevel: (): LogLevel => LogLevel.ERROR,
  setName: ignore,
};
function ignore(): void {
  // See `silentLogger`.
}

/** Creates a client. Create one per request, because in workerd its queue must not outlive the request. */
export function slackWebClient(api: SlackApi): WebClient {
  const send = slackFetch(api.fetch);
  return new WebClient(api.botToken, {
    slackApiUrl: api.apiUrl,
    fetch: async (url, init) => await send(url, init),
    timeout: api.timeoutMs ?? defaultTimeoutMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    // Prevents a method name from being used as a URL.
    allowAbsoluteUrls: false,
    logger: silentLogger,
  });
}

/** A final refusal by Slack: the call had no effect, and a retry would be refused again. */
export class SlackRefusal extends Error {
  override readonly name = 'SlackRefusal';
  /** The Web API method. */
  readonly method: string;
  /**
   * Slack's error code, such as `channel_not_found`; see the method's page in
   * docs.slack.dev/reference/methods.
   */
  readonly code: string;
  constructor(method: string, code: string) {
    super(`Slack answered ${method} with ${code}`);
    this.method = method;
    this.code = code;
  }
}

/** A transient error of Slack's: the call had no effect, and a retry may succeed. */
export class SlackUnavailable extends Error {
  override readonly name = 'SlackUnavailable';
}

/** Error codes of transient errors in Slack. Any other code, even an unknown one, is a final refusal. */
const transientCodes: ReadonlySet<string> = new Set([
  'fatal_error',
  'internal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
  'external_channel_migrating',
  'invalid_response',
]);
/** Wait after a rate limit without `Retry-After`, in ms. Slack's limits are per minute. */
const defaultRateLimitWaitMs = 30_000;

/**
 * Codes for a channel or thread that permanently refuses the bot's messages: it is gone, closed, or the bot
 * is not in it. A direct message can still reach the user.
 * https://docs.slack.dev/reference/methods/chat.postMessage#errors
 */
const closedDestinationCodes: ReadonlySet<string> = new Set([
  'channel_not_found',
  'not_in_channel',
  'is_archived',
  'is_inactive',
  'restricted_action',
  'restricted_action_read_only_channel',
  'restricted_action_thread_only_channel',
  'restricted_action_non_threadable_channel',
  'restricted_action_thread_locked',
  'thread_not_found',
  'thread_locked',
  'cannot_reply_to_message',
  'messages_tab_disabled',
  'user_not_in_channel',
  'method_not_supported_for_channel_type',
  'team_access_not_granted',
  'ekm_access_denied',
  'slack_connect_canvas_sharing_blocked',
]);

/** Codes for a message that can never be edited again. A new message can replace it. */
const uneditableMessageCodes: ReadonlySet<string> = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
]);

/** Whether the channel or thread permanently refuses messages of the bot. */
export function isClosedDestination(error: unknown): boolean {
  return error instanceof SlackRefusal && closedDestinationCodes.has(error.code);
}
/** Whether a message can never be edited again. */
export function isUneditableMessage(error: unknown): boolean {
  return error instanceof SlackRefusal && uneditableMessageCodes.has(error.code);
}

/**
 * Makes a call and classifies its error. Rejects with `SlackRefusal` (final, no effect),
 * `ChatRateLimitedError` or `SlackUnavailable` (transient, no effect), or another error if it is unknown
 * whether the call had an effect.
 */
export async function slackCall<Result>(method: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw failureOf(method, error);
  }
}

function failureOf(method: string, error: unknown): Error {
  if (error instanceof WebAPIRateLimitedError)
    return new ChatRateLimitedError(Math.max(1, error.retryAfter) * 1000);
  if (error instanceof WebAPIPlatformError) {
    const { error: code, response_metadata: metadata } = error.data;
    if (code === 'ratelimited' || code === 'rate_limited' || code === 'message_limit_exceeded') {
      return new ChatRateLimitedError(
        metadata?.retryAfter === undefined ? defaultRateLimitWaitMs : metadata.retryAfter * 1000,
      );
    }
    // The client turns an answer that is not JSON into a code. Such an answer is not from Slack.
    if (!/^[a-z0-9_]{1,80}$/.test(code)) return new Error(`the answer to ${method} is not from Slack`);
    return transientCodes.has(code)
      ? new SlackUnavailable(`Slack answered ${method} with ${code}`)
      : new SlackRefusal(method, code);
  }
  if (error instanceof WebAPIHTTPError)
    return new Error(`Slack answered ${method} with status ${error.statusCode}`);
  const why = error instanceof Error ? error.message : 'unknown error';
  return /Retry header did not contain/.test(why)
    ? new ChatRateLimitedError(defaultRateLimitWaitMs)
    : new Error(`${method} failed: ${why.slice(0, 300)}`);
}
