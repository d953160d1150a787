import { describe, expect, it } from 'vitest';
import { ChatRateLimitedError } from '../core/ports/chat-port.ts';
import {
  isClosedDestination,
  isUneditableMessage,
  slackCall,
  slackFetch,
  SlackRefusal,
  SlackUnavailable,
  slackWebClient,
} from './web-api.ts';

/** A client of a Slack that answers every call with this body. */
const answering = (body: unknown, init: ResponseInit = {}) => {
  const requests: { url: string; init: RequestInit | undefined }[] = [];
  const fetchOnce: typeof fetch = async (input, requestInit) => {
    requests.push({ url: input instanceof Request ? input.url : String(input), init: requestInit });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), init);
  };
  const client = slackWebClient({
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
    await answering(body, init).call();
    return null;
  } catch (error) {
    return error;
  }
};

describe('a call', () => {
  it('goes to the configured URL with the token, and follows no redirect', async () => {
    const slack = answering({ ok: true });
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
    const client = slackWebClient({ botToken: 'x', apiUrl: 'https://slack.example/api/', fetch: strict });
    await client.users.info({ user: 'U1' });
    expect(seen).toEqual([undefined]);
  });

  it('is never retried', async () => {
    for (const status of [200, 429, 500, 503]) {
      const slack = answering('', { status });
      await expect(slack.call()).rejects.toBeInstanceOf(Error);
      expect(slack.requests).toHaveLength(1);
    }
  });
});

describe('the error of a call', () => {
  it.each(['channel_not_found', 'not_in_channel', 'is_archived', 'restricted_action', 'thread_not_found'])(
    '%s is a final refusal by the channel or thread',
    async (error) => {
      const failure = await failureOf({ ok: false, error });
      expect(failure).toMatchObject({ name: 'SlackRefusal', code: error, method: 'chat.update' });
      expect([isClosedDestination(failure), isUneditableMessage(failure)]).toEqual([true, false]);
    },
  );

  it.each(['message_not_found', 'cant_update_message', 'edit_window_closed'])(
    '%s is a final refusal to edit the message',
    async (error) => {
      const failure = await failureOf({ ok: false, error });
      expect([isClosedDestination(failure), isUneditableMessage(failure)]).toEqual([false, true]);
    },
  );

  it.each(['token_revoked', 'account_inactive', 'invalid_auth', 'missing_scope', 'a_code_of_next_year'])(
    '%s is a final refusal',
    async (error) => {
      const failure = await failureOf({ ok: false, error });
      expect(failure).toBeInstanceOf(SlackRefusal);
      expect([isClosedDestination(failure), isUneditableMessage(failure)]).toEqual([false, false]);
    },
  );

  it.each(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout'])(
    '%s is transient, and the call had no effect',
    async (error) => {
      expect(await failureOf({ ok: false, error })).toBeInstanceOf(SlackUnavailable);
    },
  );

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
