import { describe, expect, it } from 'vitest';
import { ChatRateLimitedError } from '../core/ports/chat-port.ts';
import { isFinal } from '../core/ports/upstream-error.ts';
import { refusalOf, slackCall, slackFetch, SlackUnavailable, slackWebClient } from './web-api.ts';

/** A client of a Slack that answers every call with this body. */
const answering = async (body: unknown, init: ResponseInit = {}) => {
  const requests: { url: string; init: RequestInit | undefined }[] = [];
  const fetchOnce: typeof fetch = async (input, requestInit) => {
    requests.push({ url: input instanceof Request ? input.url : String(input), init: requestInit });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), init);
  };
  const client = await slackWebClient({
    botToken: 'xoxb-1',
    apiUrl: 'https://slack.example/api/',
    fetch: fetchOnce,
  });
  return {
    requests,
    call: () => slackCall('chat.update', () => client.chat.update({ channel: 'C1', ts: '1.2', text: 't' })),
  };
};
const failureOf = async (body: unknown, init?: ResponseInit): Promise<unknown> => {
  try {
    await (await answering(body, init)).call();
    return null;
  } catch (error) {
    return error;
  }
};

describe('a call', () => {
  it('goes to the configured URL with the token, and follows no redirect', async () => {
    const slack = await answering({ ok: true });
    await slack.call();
    expect(slack.requests).toMatchObject([
      { url: 'https://slack.example/api/chat.update', init: { redirect: 'manual' } },
    ]);
    expect(new Headers(slack.requests[0]?.init?.headers).get('authorization')).toBe('Bearer xoxb-1');
    expect(slack.requests[0]?.init?.signal).toBeInstanceOf(AbortSignal);
  });

  it('calls fetch without a `this`, as workerd requires', async () => {
    const seen: unknown[] = [];
    const strict = async function (this: unknown): Promise<Response> {
      seen.push(this);
      return new Response('{"ok":true}');
    };
    const client = await slackWebClient({
      botToken: 'x',
      apiUrl: 'https://slack.example/api/',
      fetch: strict,
    });
    await client.users.info({ user: 'U1' });
    expect(seen).toEqual([undefined]);
  });

  it('is never retried', async () => {
    for (const status of [200, 429, 500, 503]) {
      const slack = await answering('', { status });
      await expect(slack.call()).rejects.toBeInstanceOf(Error);
      expect(slack.requests).toHaveLength(1);
    }
  });
});

describe('the error of a call', () => {
  it('is a final refusal with the method and the code, and tells what it means', async () => {
    const failure = await failureOf({ ok: false, error: 'is_archived' });
    expect(failure).toMatchObject({ name: 'SlackRefusal', code: 'is_archived', method: 'chat.update' });
    expect(isFinal(failure)).toBe(true);
    expect(refusalOf(failure, 'closed', 'content')).toBe(failure);
    expect(refusalOf(failure, 'uneditable')).toBeNull();
  });

  it('is transient for a code that says so', async () => {
    const failure = await failureOf({ ok: false, error: 'internal_error' });
    expect(failure).toBeInstanceOf(SlackUnavailable);
    expect(isFinal(failure)).toBe(false);
    expect(refusalOf(failure, 'transient')).toBeNull();
  });

  it.each<[string, unknown, ResponseInit, number]>([
    ['with Retry-After', '', { status: 429, headers: { 'retry-after': '12' } }, 12_000],
    ['with a Retry-After of 0', '', { status: 429, headers: { 'retry-after': '0' } }, 1000],
    ['without Retry-After', '', { status: 429 }, 30_000],
    ['as an error code', { ok: false, error: 'ratelimited' }, {}, 30_000],
    [
      'as an error code with Retry-After',
      { ok: false, error: 'ratelimited' },
      { headers: { 'retry-after': '5' } },
      5000,
    ],
  ])('is a rate limit %s', async (_, body, init, retryAfterMs) => {
    const failure = await failureOf(body, init);
    expect(failure).toBeInstanceOf(ChatRateLimitedError);
    expect(failure).toMatchObject({ retryAfterMs });
  });

  it.each<[string, unknown, ResponseInit]>([
    ['a server error', 'oops', { status: 502 }],
    ['a page that is not from Slack', '<html>Log in</html>', {}],
    ['a redirect', '', { status: 302, headers: { location: 'https://evil.example/' } }],
  ])('leaves open whether the call had an effect, for %s', async (_, body, init) => {
    const failure = await failureOf(body, init);
    expect(failure).toMatchObject({ name: 'Error' });
  });

  it('never contains the token', async () => {
    expect(String(await failureOf('xoxb-1', { status: 500 }))).not.toContain('xoxb-1');
  });
});

it('throws on a redirect in the fetch that Bolt uses', async () => {
  const redirecting = slackFetch(() => Promise.resolve(new Response(null, { status: 307 })));
  await expect(redirecting('https://slack.example/')).rejects.toThrow('redirect');
});
