/**
 * One way to call Slack's Web API, from workerd and from Node: with a deadline, without repeating a call, without following
 * redirects, with failures told apart. Decides nothing about what to call.
 *
 * Nothing is retried here: the answer to a post may only be lost, so whoever posts looks first. The client's own waiting
 * for a rate limit is off too: a task's record knows better what to do with the time.
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
  /** Base of the Web API with a slash at the end. */
  readonly apiUrl: string;
  readonly fetch: typeof fetch;
  /** Milliseconds for one call, body included. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/**
 * The client asks for `redirect: 'error'`, which workerd refuses, and calls `fetch` as a method of its own, which workerd refuses too.
 * A redirect is an error here as well: a token is never carried to an address that an answer names.
 */
export function slackFetch(platformFetch: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await platformFetch(input, { ...init, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400)
      throw new TypeError('Slack answered with a redirect');
    return response;
  };
}

/** The client logs to the console, its arguments among them; what matters is in our own log. */
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

/** Cheap; made when there is something to call, because its queue must not outlive a request in workerd. */
export function slackWebClient(api: SlackApi): WebClient {
  const send = slackFetch(api.fetch);
  return new WebClient(api.botToken, {
    slackApiUrl: api.apiUrl,
    fetch: async (url, init) => await send(url, init),
    timeout: api.timeoutMs ?? defaultTimeoutMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    // A method's name is ours, but it never becomes an address.
    allowAbsoluteUrls: false,
    logger: silent,
  });
}

/** Slack's own refusal, which the same call will meet again. Nothing was done. */
export class SlackRefusal extends Error {
  override readonly name = 'SlackRefusal';
  /** Method of the Web API. */
  readonly method: string;
  /** Slack's code, such as `channel_not_found`: https://docs.slack.dev/reference/methods of the method. */
  readonly code: string;
  constructor(method: string, code: string) {
    super(`Slack answered ${method} with ${code}`);
    this.method = method;
    this.code = code;
  }
}

/** Slack said that it did not do it, and may do it later. */
export class SlackUnavailable extends Error {
  override readonly name = 'SlackUnavailable';
}

/** Codes that speak of Slack's state rather than of the call. Any other is a refusal, the unknown ones too: no retry mends them. */
const passing: ReadonlySet<string> = new Set([
  'fatal_error',
  'internal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
  'external_channel_migrating',
  'invalid_response',
]);
/** Milliseconds, where Slack limits without saying how long; its limits are per minute. */
const unnamedWaitMs = 30_000;

/**
 * The place takes no message of ours, and will not: it is gone, closed, or we are not in it. A person may still be reached elsewhere.
 * https://docs.slack.dev/reference/methods/chat.postMessage#errors
 */
const closedPlace: ReadonlySet<string> = new Set([
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

/** The message cannot be edited and never will be; a new one can be posted. */
const lostMessage: ReadonlySet<string> = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
]);

export function isClosedPlace(error: unknown): boolean {
  return error instanceof SlackRefusal && closedPlace.has(error.code);
}
export function isLostMessage(error: unknown): boolean {
  return error instanceof SlackRefusal && lostMessage.has(error.code);
}

/**
 * Makes a call and rejects with `SlackRefusal` (final), `ChatRateLimitedError` or `SlackUnavailable` (nothing was done, later), or
 * with another error: then nobody knows whether Slack did it.
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
        metadata?.retryAfter === undefined ? unnamedWaitMs : metadata.retryAfter * 1000,
      );
    }
    // The client makes a code of whatever is not JSON; such an answer is not Slack's.
    if (!/^[a-z0-9_]{1,80}$/.test(code)) return new Error(`${method} was not answered by Slack`);
    return passing.has(code)
      ? new SlackUnavailable(`Slack answered ${method} with ${code}`)
      : new SlackRefusal(method, code);
  }
  if (error instanceof WebAPIHTTPError)
    return new Error(`Slack answered ${method} with status ${error.statusCode}`);
  const why = error instanceof Error ? error.message : 'unknown error';
  return /Retry header did not contain/.test(why)
    ? new ChatRateLimitedError(unnamedWaitMs)
    : new Error(`${method} failed: ${why.slice(0, 300)}`);
}
