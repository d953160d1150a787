/**
 * Calls Slack's Web API with a deadline, without redirects, and classifies errors. Never retries: after a
 * failed post the message may exist, and a record can schedule the attempt after a rate limit.
 */
import type { Logger, LogLevel, WebClient } from '@slack/web-api';
import { ChatRateLimitedError } from '../core/ports/chat-port.ts';
import { UpstreamError } from '../core/ports/upstream-error.ts';
import { meaningOfCode, taskMeaningOf, type SlackMeaning } from './error-meaning.ts';

export interface SlackApi {
  readonly botToken: string;
  /** Base URL of the Web API, with a trailing slash. */
  readonly apiUrl: string;
  readonly fetch: typeof fetch;
  /** Deadline of one call including its body, in ms. Default 10,000. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/** workerd rejects `redirect: 'error'` and `fetch` as a method. Throws on a redirect: no token leaks. */
export function slackFetch(platformFetch: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await platformFetch(input, { ...init, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400)
      throw new TypeError('Slack answered with a redirect');
    return response;
  };
}

/** Silences Slack's clients, which would log payloads to the console. Callers log errors. */
export const silentLogger = (level: LogLevel): Logger => ({
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  setLevel: ignore,
  getLevel: () => level,
  setName: ignore,
});
function ignore(): void {
  // See `silentLogger`.
}

/** Slack's library, loaded by the first call, because it is large and most isolates never call Slack. */
const library = async () => await import('./slack-library.ts');

/** Creates a client. Create one per request, because in workerd its queue must not outlive the request. */
export async function slackWebClient(api: SlackApi): Promise<WebClient> {
  const { LogLevel, WebClient } = await library();
  const send = slackFetch(api.fetch);
  return new WebClient(api.botToken, {
    slackApiUrl: api.apiUrl,
    fetch: async (url, init) => await send(url, init),
    timeout: api.timeoutMs ?? defaultTimeoutMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    // Prevents a method name from being used as a URL.
    allowAbsoluteUrls: false,
    logger: silentLogger(LogLevel.ERROR),
  });
}

/** A final refusal by Slack: the call had no effect, and a retry would be refused again. */
export class SlackRefusal extends UpstreamError {
  override readonly name = 'SlackRefusal';
  /** The Web API method. */
  readonly method: string;
  /** Such as `channel_not_found`; see docs.slack.dev/reference/methods. */
  readonly code: string;
  constructor(method: string, code: string) {
    super(taskMeaningOf(method, code), `Slack answered ${method} with ${code}`);
    this.method = method;
    this.code = code;
  }
}

/** A transient error of Slack's. The call usually had no effect, and a retry may succeed. */
export class SlackUnavailable extends UpstreamError {
  override readonly name = 'SlackUnavailable';
}

/** Wait after a rate limit without `Retry-After`, in ms. Slack's limits are per minute. */
const defaultRateLimitWaitMs = 30_000;

/** The refusal, if its code has one of the meanings; null for another error. */
export function refusalOf(error: unknown, ...meanings: readonly SlackMeaning[]): SlackRefusal | null {
  return error instanceof SlackRefusal && meanings.includes(meaningOfCode(error.code)) ? error : null;
}

/**
 * Rejects with `SlackRefusal` (final, no effect), `ChatRateLimitedError` or `SlackUnavailable` (transient, no
 * effect), or another error if the effect is unknown.
 */
export async function slackCall<Result>(method: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw await failureOf(method, error);
  }
}

async function failureOf(method: string, error: unknown): Promise<Error> {
  const { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError } = await library();
  if (error instanceof WebAPIRateLimitedError)
    return new ChatRateLimitedError(Math.max(1, error.retryAfter) * 1000);
  if (error instanceof WebAPIPlatformError) {
    const { error: code, response_metadata: metadata } = error.data;
    if (meaningOfCode(code) === 'limited') {
      return new ChatRateLimitedError(
        metadata?.retryAfter === undefined ? defaultRateLimitWaitMs : metadata.retryAfter * 1000,
      );
    }
    // The client turns an answer that is not JSON into a code. Such an answer is not from Slack.
    if (!/^[a-z0-9_]{1,80}$/.test(code)) return new Error(`the answer to ${method} is not from Slack`);
    const refusal = new SlackRefusal(method, code);
    return refusal.meaning.kind === 'transient'
      ? new SlackUnavailable(refusal.meaning, refusal.message)
      : refusal;
  }
  if (error instanceof WebAPIHTTPError)
    return new Error(`Slack answered ${method} with status ${error.statusCode}`);
  const why = error instanceof Error ? error.message : 'unknown error';
  return /Retry header did not contain/.test(why)
    ? new ChatRateLimitedError(defaultRateLimitWaitMs)
    : new Error(`${method} failed: ${why.slice(0, 300)}`);
}
