import { describe, expect, it } from 'vitest';
import { ChatRateLimitedError } from '../core/ports/chat-port.ts';
import {
  isClosedPlace,
  isLostMessage,
  slackCall,
  slackFetch,
  SlackRefusal,
  SlackUnavailable,
  slackWebClient,
} from './web-api.ts';

/** Slack, answering each call with this. */
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
  it('goes to the configured address with the token, and follows no redirect', async () => {
    const slack = answering({ ok: true });
    await slack.call();
    expect(slack.requests).toMatchObject([
      { url: 'https://slack.example/api/chat.update', init: { redirect: 'manual' } },
    ]);
    expect(new Headers(slack.requests[0]?.init?.headers).get('authorization')).toBe('Bearer xoxb-1');
    expect(slack.requests[0]?.init?.signal).toBeInstanceOf(AbortSignal);
  });

  it('calls fetch as workerd wants it: as nobody’s method', async () => {
    const seen: unknown[] = [];
    const strict = async function (this: unknown): Promise<Response> {
      seen.push(this);
      return new Response('{"ok":true}');
    };
    const client = slackWebClient({ botToken: 'x', apiUrl: 'https://slack.example/api/', fetch: strict });
    await client.users.info({ user: 'U1' });
    expect(seen).toEqual([undefined]);
  });

  it('is made once, whatever comes back', async () => {
    for (const status of [200, 429, 500, 503]) {
      const slack = answering('', { status });
      await expect(slack.call()).rejects.toBeInstanceOf(Error);
      expect(slack.requests).toHaveLength(1);
    }
  });
});

describe('a failure', () => {
  it.each(['channel_not_found', 'not_in_channel', 'is_archived', 'restricted_action', 'thread_not_found'])(
    '%s is final, and of the place',
    async (error) => {
      const failure = await failureOf({ ok: false, error });
      expect(failure).toMatchObject({ name: 'SlackRefusal', code: error, method: 'chat.update' });
      expect([isClosedPlace(failure), isLostMessage(failure)]).toEqual([true, false]);
    },
  );

  it.each(['message_not_found', 'cant_update_message', 'edit_window_closed'])(
    '%s is final, and of the message',
    async (error) => {
      const failure = await failureOf({ ok: false, error });
      expect([isClosedPlace(failure), isLostMessage(failure)]).toEqual([false, true]);
    },
  );

  it.each(['token_revoked', 'account_inactive', 'invalid_auth', 'missing_scope', 'a_code_of_next_year'])(
    '%s is final',
    async (error) => {
      const failure = await failureOf({ ok: false, error });
      expect(failure).toBeInstanceOf(SlackRefusal);
      expect([isClosedPlace(failure), isLostMessage(failure)]).toEqual([false, false]);
    },
  );

  it.each(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout'])(
    '%s may pass, and nothing was done',
    async (error) => {
      expect(await failureOf({ ok: false, error })).toBeInstanceOf(SlackUnavailable);
    },
  );

  it.each<[string, unknown, ResponseInit, number]>([
    ['says how long', '', { status: 429, headers: { 'retry-after': '12' } }, 12_000],
    ['asks for no time at all', '', { status: 429, headers: { 'retry-after': '0' } }, 1000],
    ['does not say how long', '', { status: 429 }, 30_000],
    ['comes as a code', { ok: false, error: 'ratelimited' }, {}, 30_000],
    [
      'comes as a code with a time',
      { ok: false, error: 'ratelimited' },
      { headers: { 'retry-after': '5' } },
      5000,
    ],
  ])('that is a limit and %s', async (_, body, init, retryAfterMs) => {
    const failure = await failureOf(body, init);
    expect(failure).toBeInstanceOf(ChatRateLimitedError);
    expect(failure).toMatchObject({ retryAfterMs });
  });

  it.each<[string, unknown, ResponseInit]>([
    ['an error of the server', 'oops', { status: 502 }],
    ['a page that is not Slack’s', '<html>Log in</html>', {}],
    ['a redirect', '', { status: 302, headers: { location: 'https://evil.example/' } }],
  ])('leaves open whether it was done: %s', async (_, body, init) => {
    const failure = await failureOf(body, init);
    expect(failure).toMatchObject({ name: 'Error' });
  });

  it('never says the token', async () => {
    expect(String(await failureOf('xoxb-1', { status: 500 }))).not.toContain('xoxb-1');
  });
});

it('refuses a redirect in the fetch that Bolt gets, too', async () => {
  const redirecting = slackFetch(() => Promise.resolve(new Response(null, { status: 307 })));
  await expect(redirecting('https://slack.example/')).rejects.toThrow('redirect');
});
