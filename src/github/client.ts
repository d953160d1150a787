/**
 * One way to call GitHub's REST API: with a deadline, without following redirects, with failures told apart.
 * Decides nothing about what to call, and never holds a credential longer than a call.
 */
import { Octokit } from '@octokit/rest';

export interface GithubApi {
  /** Base of the REST API, without a slash at the end. */
  readonly apiUrl: string;
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds for one request, body included. */
  readonly timeoutMs?: number;
  /** Milliseconds before each further attempt at reading; shorter in tests. */
  readonly retryDelaysMs?: readonly number[];
}

/** No methods by name (`rest.…`): the Worker's bundle has none, see `stubs/no-endpoint-methods.cjs`. */
export type GithubClient = Pick<Octokit, 'request' | 'paginate' | 'hook'>;

/** A credential for the `Authorization` header; asked for at each request, so that it is never a stale one. */
export type Credential = () => Promise<string>;

/** Sent with every call to the REST API, so that a new version of it cannot change what answers look like. */
export const apiVersionHeader = { 'x-github-api-version': '2022-11-28' } as const;

const defaultTimeoutMs = 15_000;
const defaultRetryDelaysMs = [1000, 4000] as const;

/** GitHub asks us to slow down: the primary or a secondary rate limit. Passes by itself. */
class GithubRateLimitError extends Error {
  override readonly name = 'GithubRateLimitError';
  /** How long GitHub wants us to wait; a minute when it does not say, as its documentation asks. */
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super(`GitHub’s rate limit is reached; it asks to wait ${Math.ceil(retryAfterMs / 1000)} s`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** GitHub has moved what was asked for. Never followed: a repository that was renamed is not the one that was allowed. */
export class GithubMovedError extends Error {
  override readonly name = 'GithubMovedError';
}

/** GitHub’s own answer. */
export class GithubRefusal extends Error {
  override readonly name = 'GithubRefusal';
  readonly status: number;
  /** Method and path, without a query. */
  readonly call: string;
  /** GitHub’s words, joined from `message` and `errors[].message`. */
  readonly details: string;
  /** `errors[].field`, where GitHub names fields. */
  readonly fields: readonly string[];
  constructor(status: number, call: string, details: string, fields: readonly string[]) {
    super(`GitHub answered ${call} with ${status}: ${details}`);
    this.status = status;
    this.call = call;
    this.details = details;
    this.fields = fields;
  }
}

/**
 * Reading is retried twice, a second and four later; writing never, because its answer may only be lost: whoever
 * writes looks first. Neither Octokit's throttling plugin nor its retrying one: both bring a queue, the one outlives a
 * request, which workerd does not allow, and the other makes a twelfth of the Worker for two attempts.
 */
export function githubClient(api: GithubApi, credential: Credential): GithubClient {
  const { fetch: platformFetch } = api;
  const { timeoutMs = defaultTimeoutMs, retryDelaysMs = defaultRetryDelaysMs } = api;
  const client = new Octokit({
    baseUrl: api.apiUrl,
    userAgent: 'airlock',
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    request: {
      redirect: 'manual',
      fetch: async (url: string, init: RequestInit) =>
        await platformFetch(url, { ...init, redirect: 'manual', signal: endOf(init.signal, timeoutMs) }),
    },
  });
  client.hook.wrap('request', async (request, options) => {
    const isTriedAgain = options.method === 'GET' && options.request['retries'] !== 0;
    for (const delayMs of isTriedAgain ? retryDelaysMs : []) {
      try {
        return await request(options);
      } catch (error) {
        if (!mayPass(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
    return await request(options);
  });
  client.hook.before('request', async (options) => {
    options.headers.authorization = `Bearer ${await credential()}`;
    Object.assign(options.headers, apiVersionHeader);
  });
  client.hook.after('request', (response, options) => {
    // To Octokit a redirect that is not followed is a success without data.
    const status: number = response.status;
    if (status >= 300 && status < 400)
      throw new GithubMovedError(`GitHub has moved ${options.method} ${options.url}`);
  });
  client.hook.error('request', (error) => {
    throw failureOf(error, api.now());
  });
  return client;
}

/** GitHub, or what lies before it, is out of order. Octokit gives a broken connection the status 500; a deadline has none. */
function mayPass(error: unknown): boolean {
  const status = property(error, 'status');
  return typeof status === 'number' && (status >= 500 || status === 408);
}

/** The request's own deadline, and that of what it is a part of. */
function endOf(outer: AbortSignal | null | undefined, timeoutMs: number): AbortSignal {
  const own = AbortSignal.timeout(timeoutMs);
  return outer == null ? own : AbortSignal.any([outer, own]);
}

function ignore(): void {
  // Octokit logs deprecations and each request to the console; our own log says what matters.
}

/** The error that callers can tell apart; anything that is not GitHub's answer stays as it is. */
function failureOf(error: unknown, now: number): unknown {
  if (!(error instanceof Error)) return error;
  const response = property(error, 'response');
  const status = property(response, 'status');
  if (typeof status !== 'number') return error;
  const data = property(response, 'data');
  const headers = property(response, 'headers');
  const message = text(property(data, 'message'));
  const waitMs = rateLimitWait(status, headers, message, now);
  if (waitMs !== null) return new GithubRateLimitError(waitMs);
  const listed = property(data, 'errors');
  const errors: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const details = [
    message,
    ...errors.map((one) => text(typeof one === 'string' ? one : property(one, 'message'))),
  ];
  const request = property(error, 'request');
  const path = text(property(request, 'url'))
    .replace(/^https?:\/\/[^/]+/, '')
    .replace(/\?.*$/, '');
  return new GithubRefusal(
    status,
    `${text(property(request, 'method'))} ${path}`,
    details
      .filter((part) => part !== '')
      .join('; ')
      .slice(0, 500),
    errors.map((one) => text(property(one, 'field'))).filter((field) => field !== ''),
  );
}

/** https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api: 403 or 429, told by headers. */
function rateLimitWait(status: number, headers: unknown, message: string, now: number): number | null {
  if (status !== 403 && status !== 429) return null;
  const retryAfter = Number(property(headers, 'retry-after') ?? Number.NaN);
  if (Number.isFinite(retryAfter)) return Math.max(1, retryAfter) * 1000;
  if (property(headers, 'x-ratelimit-remaining') === '0') {
    const reset = Number(property(headers, 'x-ratelimit-reset'));
    return Number.isFinite(reset) ? Math.max(1000, reset * 1000 - now) : 60_000;
  }
  return status === 429 || /secondary rate limit|abuse detection/i.test(message) ? 60_000 : null;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** null for GitHub's 404: what was asked for is not there, or not for us. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof GithubRefusal && error.status === 404) return null;
    throw error;
  }
}
