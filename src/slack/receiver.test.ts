/** Misbehaving listeners, through Bolt itself: Slack always gets one answer, and the problem is logged. */
import { App } from '@slack/bolt';
import { describe, expect, it } from 'vitest';
import type { Inbound, InboundKind } from './payload.ts';
import { HonoReceiver } from './receiver.ts';
import { sentences } from './sentences.ts';
import { UnreadablePayloadError } from './unreadable.ts';

const bodies: Readonly<
  Record<'command' | 'event' | 'action' | 'submission' | 'options', Record<string, unknown>>
> = {
  command: { command: '/codex', text: '', team_id: 'T0', user_id: 'U0', channel_id: 'C0' },
  event: { type: 'event_callback', team_id: 'T0', event: { type: 'app_mention', channel: 'C0', ts: '1.1' } },
  action: {
    type: 'block_actions',
    team: { id: 'T0' },
    user: { id: 'U0' },
    actions: [{ action_id: 'a', block_id: 'b' }],
  },
  submission: { type: 'view_submission', team: { id: 'T0' }, user: { id: 'U0' }, view: { callback_id: 'v' } },
  options: {
    type: 'block_suggestion',
    team: { id: 'T0' },
    user: { id: 'U0' },
    action_id: 'o',
    block_id: 'o',
    value: '',
  },
};
type Kind = keyof typeof bodies;
const kinds: readonly Kind[] = ['command', 'event', 'action', 'submission', 'options'];

const inboundOf = (kind: InboundKind & Kind): Inbound => ({
  kind,
  name: kind,
  body: bodies[kind],
  sender: { workspace: 'T0', userWorkspaces: [], enterprise: null, enterpriseInstall: false },
});

/** Registers `listen` for every kind of request. For an event its `ack` is null. */
function subject(listen: (ack: (() => Promise<void>) | null) => Promise<void>, deadlineMs = 1000) {
  const logged: string[] = [];
  const working: Promise<unknown>[] = [];
  const receiver = new HonoReceiver({
    log: (event) => void logged.push(event),
    deadlineMs,
  });
  const app = new App({
    receiver,
    authorize: async () => await Promise.resolve({ botToken: 'xoxb-test' }),
    ignoreSelf: false,
    convoStore: false,
  });
  app.error(async (error) => {
    throw error;
  });
  app.command('/codex', async ({ ack }) => await listen(async () => await ack()));
  app.event('app_mention', async () => await listen(null));
  app.action('a', async ({ ack }) => await listen(async () => await ack()));
  app.view('v', async ({ ack }) => await listen(async () => await ack()));
  app.options('o', async ({ ack }) => await listen(async () => await ack({ options: [] })));
  const answer = async (inbound: Inbound) =>
    await receiver.answer(inbound, {
      waitUntil: (work) => void working.push(work),
      retryNum: null,
      retryReason: null,
    });
  return { answer, logged, settled: async () => await Promise.all(working) };
}

/** The fallback response if no listener answered. */
const fallback = (kind: Kind, status: 500 | 503, text: string): [number, string] => {
  if (kind === 'command') return [200, JSON.stringify({ response_type: 'ephemeral', text })];
  if (kind === 'submission')
    return [200, JSON.stringify({ response_action: 'errors', errors: { instruction: text } })];
  return kind === 'options' ? [200, '{"options":[]}'] : [status, ''];
};

describe.each(kinds)('%s', (kind) => {
  const answerOf = async (answer: (inbound: Inbound) => Promise<Response>): Promise<[number, string]> => {
    const response = await answer(inboundOf(kind));
    return [response.status, await response.text()];
  };

  it('is answered if its listener throws before it acknowledges', async () => {
    const { answer, logged } = subject(async () => await Promise.reject(new Error('x')));
    expect(await answerOf(answer)).toEqual(fallback(kind, 500, sentences.failed));
    expect(logged).toEqual(['slack.failed']);
  });

  it('is answered if its listener does not answer in time', async () => {
    const { answer, logged } = subject(async () => await new Promise(() => {}), 20);
    expect(await answerOf(answer)).toEqual(fallback(kind, 503, sentences.late));
    expect(logged).toEqual(['slack.late']);
  });

  it('is answered with 400 if its listener cannot parse it', async () => {
    const { answer, logged } = subject(async () => await Promise.reject(new UnreadablePayloadError('a.b')));
    expect(await answerOf(answer)).toEqual([400, 'not in the format that Slack documents']);
    expect(logged).toEqual(['slack.unreadable']);
  });
});

describe('the receiver', () => {
  it('returns the first answer of a listener and logs the second', async () => {
    const { answer, logged, settled } = subject(async (ack) => {
      await ack?.();
      await ack?.();
    });
    const response = await answer(inboundOf('action'));
    await settled();
    expect([response.status, logged]).toEqual([200, ['slack.failed']]);
  });

  it('answers 404 if a listener ends without an answer', async () => {
    const { answer, logged } = subject(async () => {});
    expect((await answer(inboundOf('action'))).status).toBe(404);
    expect(logged).toEqual(['slack.unhandled']);
  });

  it('logs an error after the answer', async () => {
    const { answer, logged, settled } = subject(async (ack) => {
      await ack?.();
      throw new Error('x');
    });
    expect((await answer(inboundOf('command'))).status).toBe(200);
    await settled();
    expect(logged).toEqual(['slack.failed']);
  });

  it('answers an event only after its listener is done', async () => {
    const done: string[] = [];
    const { answer } = subject(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      done.push('durable');
    });
    const response = await answer(inboundOf('event'));
    expect([response.status, done]).toEqual([200, ['durable']]);
  });
});
