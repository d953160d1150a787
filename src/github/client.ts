/** Calls GitHub's REST API with a deadline, without redirects, and turns failures into distinct errors. */
import { Octokit } from '@octokit/rest';
import { meaningOf, UpstreamError, type Meaning } from '../core/ports/upstream-error.ts';
import { headOf } from '../lib/cut-text.ts';
import { cleanShown } from './clean-shown.ts';
import { meaningOfAnswer, meaningOfBrokenCall, tokenRefused, type GithubAnswer } from './status-meaning.ts';

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

/** Without `rest.…`, which the bundle leaves out: see `stubs/no-endpoint-methods.cjs`. */
export type GithubClient = Pick<Octokit, 'request' | 'paginate' | 'hook'>;

/** For the `Authorization` header. Called for each request, so that it is never stale. */
export type Credential = () => Promise<string>;

/** Pins the version of the REST API, so that a new default version cannot change the answers. */
export const apiVersionHeader = { 'x-github-api-version': '2022-11-28' } as const;

const defaultTimeoutMs = 15_000;
const defaultRetryDelaysMs = [1000, 4000] as const;

/** A rate limit is reached, or GitHub could not be reached. Transient. */
class GithubUnavailableError extends UpstreamError {
  override readonly name = 'GithubUnavailableError';
}

/** Never followed: the configuration allowed the old name of a repository, not the new one. */
export class GithubMovedError extends UpstreamError {
  override readonly name = 'GithubMovedError';
  readonly status: number;
  /** Untrusted; null if GitHub named no address. */
  readonly location: string | null;
  constructor({ status, call }: GithubAnswer, location: string | null, meaning: Meaning) {
    super(meaning, `GitHub has moved ${call}`);
    this.status = status;
    this.location = location;
  }
}

/** GitHub answered with an error. `meaning` says whether that is final. */
export class GithubRefusal extends UpstreamError {
  override readonly name = 'GithubRefusal';
  readonly status: number;
  /** Method and path, without a query. */
  readonly call: string;
  /** `message` of GitHub’s answer, what is nested in its `errors`, and kinds of secrets, on one line. */
  readonly details: string;
  /** `errors[].field` of GitHub’s answer. */
  readonly fields: readonly string[];
  constructor({ status, call, details, fields }: GithubAnswer, meaning: Meaning) {
    super(meaning, `GitHub answered ${call} with ${status}: ${details}`);
    this.status = status;
    this.call = call;
    this.details = details;
    this.fields = fields;
  }
}

/**
 * Retries reads twice, after one and four seconds. Never retries writes, whose answer may be lost: callers
 * look before they write. Octokit's throttling queue would outlive a request; its retry plugin is large.
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
        if (!isOutage(failureOf(error, api.now()))) throw error;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
    return await request(options);
  });
  client.hook.before('request', async (options) => {
    options.headers.authorization = `Bearer ${await credential()}`;
    Object.assign(options.headers, apiVersionHeader);
    cleanShown(options);
  });
  client.hook.after('request', (response, options) => {
    // Octokit treats a redirect that it does not follow as a success without data.
    const status: number = response.status;
    if (status >= 300 && status < 400) {
      const call = callOf(client.request.endpoint(options));
      const answer = { status, call, details: '', fields: [], headers: {} };
      throw new GithubMovedError(
        answer,
        response.headers.location ?? null,
        meaningOfAnswer(answer, api.now()),
      );
    }
  });
  client.hook.error('request', (error) => {
    throw failureOf(error, api.now());
  });
  return client;
}

/** GitHub or a proxy in front of it is down for a moment. A rate limit would last longer than the delays. */
function isOutage(error: unknown): boolean {
  const meaning = meaningOf(error);
  return meaning?.kind === 'transient' && meaning.waitMs === null && meaning.reason.code !== tokenRefused;
}

/** Combines the request's own deadline with the caller's signal. */
function withTimeout(outer: AbortSignal | null | undefined, timeoutMs: number): AbortSignal {
  const own = AbortSignal.timeout(timeoutMs);
  return outer == null ? own : AbortSignal.any([outer, own]);
}

function ignore(): void {
  // Silences Octokit, which logs deprecations and every request to the console.
}

/** Returns the matching error of this file; an error that is no failed call stays as it is. */
function failureOf(error: unknown, now: number): unknown {
  if (!(error instanceof Error) || error instanceof UpstreamError) return error;
  const response = property(error, 'response');
  const status = property(response, 'status');
  if (typeof status !== 'number') {
    // Octokit reports a call without an answer as status 500.
    if (property(error, 'status') !== 500) return error;
    return new GithubUnavailableError(meaningOfBrokenCall(error), undefined, { cause: error });
  }
  const data = property(response, 'data');
  const headers = property(response, 'headers');
  const errors = property(data, 'errors');
  const answer: GithubAnswer = {
    status,
    call: callOf(property(error, 'request')),
    details: wordsOf([
      text(property(data, 'message')),
      ...nested(errors, 'message'),
      ...secretTypes(property(data, 'metadata')),
    ]),
    fields: nested(errors, 'field'),
    headers: {
      retryAfter: text(property(headers, 'retry-after')),
      rateLimitRemaining: text(property(headers, 'x-ratelimit-remaining')),
      rateLimitReset: text(property(headers, 'x-ratelimit-reset')),
    },
  };
  const meaning = meaningOfAnswer(answer, now);
  return meaning.kind === 'transient' && meaning.waitMs !== null
    ? new GithubUnavailableError(meaning)
    : new GithubRefusal(answer, meaning);
}

/** One line. Rulesets spread their words over several, and repeat a prefix. */
function wordsOf(parts: readonly string[]): string {
  const lines = parts.map((part) =>
    part
      .trim()
      .replace(/^pre_receive /, '')
      .replace(/^(Repository rule violations found)\s+/, '$1: ')
      .replaceAll(/([^\s.:;,!?])\s*\n\s*\n/g, '$1. ')
      .replaceAll(/([^\s.:;,!?])\s*\n/g, '$1, ')
      .replaceAll(/\s+/g, ' '),
  );
  return headOf([...new Set(lines)].filter((line) => line !== '').join('; '), 500);
}

/** What push protection found: kinds of secrets, never a secret. */
function secretTypes(metadata: unknown): string[] {
  const found = property(property(metadata, 'secret_scanning'), 'bypass_placeholders');
  return Array.isArray(found) ? found.map((one: unknown) => text(property(one, 'token_type'))) : [];
}

function callOf(request: unknown): string {
  const path = text(property(request, 'url'))
    .replace(/^https?:\/\/[^/]+/, '')
    .replace(/\?.*$/, '');
  return `${text(property(request, 'method'))} ${path}`;
}

/** Rulesets nest their errors. Depth and number are bounded by the size of GitHub’s answer. */
function nested(errors: unknown, name: 'message' | 'field'): string[] {
  if (Array.isArray(errors)) return errors.flatMap((one: unknown) => nested(one, name));
  if (typeof errors === 'string') return name === 'message' ? [errors] : [];
  const own = text(property(errors, name));
  const below = property(errors, 'errors');
  return [...(own === '' ? [] : [own]), ...(below === undefined ? [] : nested(below, name))];
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
