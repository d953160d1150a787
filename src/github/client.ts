/**
 * Calls GitHub's REST API with a deadline and without following redirects, and turns failures into distinct
 * errors. Holds a credential only for the duration of a call.
 */
import { Octokit } from '@octokit/rest';

export interface GithubApi {
  /** Base of the REST API, without a slash at the end. */
  readonly apiUrl: string;
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds for one request including its body. */
  readonly timeoutMs?: number;
  /** Milliseconds before each retry of a read; shorter in tests. */
  readonly retryDelaysMs?: readonly number[];
}

/**
 * Without the methods of `rest.…`, which the Worker's bundle leaves out: see `stubs/no-endpoint-methods.cjs`.
 */
export type GithubClient = Pick<Octokit, 'request' | 'paginate' | 'hook'>;

/**
 * Returns the credential for the `Authorization` header. Called for each request, so that it is never stale.
 */
export type Credential = () => Promise<string>;

/** Pins the version of the REST API, so that a new default version cannot change the answers. */
export const apiVersionHeader = { 'x-github-api-version': '2022-11-28' } as const;

const defaultTimeoutMs = 15_000;
const defaultRetryDelaysMs = [1000, 4000] as const;

/** The primary or a secondary rate limit is reached. Transient. */
class GithubRateLimitError extends Error {
  override readonly name = 'GithubRateLimitError';
  /** How long GitHub asks us to wait; one minute if it does not say, as its documentation demands. */
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super(`GitHub’s rate limit is reached; it asks to wait ${Math.ceil(retryAfterMs / 1000)} s`);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The resource has moved. Never followed: the configuration allowed the old name of a repository, not the new
 * one.
 */
export class GithubMovedError extends Error {
  override readonly name = 'GithubMovedError';
}

/** GitHub answered with an error. */
export class GithubRefusal extends Error {
  override readonly name = 'GithubRefusal';
  readonly status: number;
  /** Method and path, without a query. */
  readonly call: string;
  /** `message` and `errors[].message` of GitHub’s answer, joined. */
  readonly details: string;
  /** `errors[].field` of GitHub’s answer. */
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
 * Retries reads twice, after one and four seconds. Never retries writes: the first attempt may have succeeded
 * although its answer was lost, so callers look before they write. Uses neither Octokit's throttling plugin,
 * whose queue outlives a request, which workerd does not allow, nor its retry plugin, which would make up a
 * twelfth of the Worker.
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
        await platformFetch(url, {
          ...init,
          redirect: 'manual',
          signal: withTimeout(init.signal, timeoutMs),
        }),
    },
  });
  client.hook.wrap('request', async (request, options) => {
    const isRetried = options.method === 'GET' && options.request['retries'] !== 0;
    for (const delayMs of isRetried ? retryDelaysMs : []) {
      try {
        return await request(options);
      } catch (error) {
        if (!isTransient(error)) throw error;
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
    // Octokit treats a redirect that it does not follow as a success without data.
    const status: number = response.status;
    if (status >= 300 && status < 400)
      throw new GithubMovedError(`GitHub has moved ${options.method} ${options.url}`);
  });
  client.hook.error('request', (error) => {
    throw failureOf(error, api.now());
  });
  return client;
}

/**
 * GitHub or a proxy before it is down. Octokit reports a broken connection as status 500; a deadline has no
 * status.
 */
function isTransient(error: unknown): boolean {
  const status = property(error, 'status');
  return typeof status === 'number' && (status >= 500 || status === 408);
}

/** Combines the request's own deadline with the caller's signal. */
function withTimeout(outer: AbortSignal | null | undefined, timeoutMs: number): AbortSignal {
  const own = AbortSignal.timeout(timeoutMs);
  return outer == null ? own : AbortSignal.any([outer, own]);
}

function ignore(): void {
  // Silences Octokit, which logs deprecations and every request to the console.
}

/** Returns the matching error of this file; an error that is not GitHub's answer stays as it is. */
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

/**
 * https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api: 403 or 429 with
 * headers.
 */
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

/** Returns null for a 404: the resource does not exist, or GitHub hides it from us. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof GithubRefusal && error.status === 404) return null;
    throw error;
  }
}
