/** Socket Mode on the host: requests reach the Worker as if Slack had sent them over HTTP. */
import { verifySlackRequest } from '@slack/bolt';
import { afterEach, describe, expect, it } from 'vitest';
import type { SlackSimulator } from '../../simulators/slack/contract.ts';
import { requestOf, startSlackSocket, type SlackSocket } from '../../host/slack-socket.ts';
import {
  button,
  caller,
  payloadIn,
  signingSecret,
  startWorkspace,
  TestApp,
} from '../simulators/slack/workspace.ts';

interface Running {
  readonly slack: SlackSimulator;
  readonly app: TestApp;
  readonly socket: SlackSocket;
  readonly log: Readonly<Record<string, unknown>>[];
}
const toStop: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0).toReversed()) await stop();
});

/** Starts a simulated workspace and the host's socket. `app` replaces the Worker. */
async function start(): Promise<Running> {
  const app = await TestApp.start();
  toStop.push(() => app.stop());
  const slack = await startWorkspace({ deliverTo: 'socket' });
  toStop.push(() => slack.close());
  const log: Record<string, unknown>[] = [];
  const { appToken, apiUrl } = slack;
  const socket = await startSlackSocket({
    appToken,
    apiUrl,
    signingSecret,
    url: app.url,
    log: (event) => log.push(event),
  });
  toStop.push(() => socket.stop());
  return { slack, app, socket, log };
}

const refused = (changes: { readonly apiUrl?: string; readonly appToken?: string }, slack: SlackSimulator) =>
  startSlackSocket({
    appToken: slack.appToken,
    apiUrl: slack.apiUrl,
    signingSecret,
    url: 'http://127.0.0.1:9',
    log: () => undefined,
    ...changes,
  });

describe('an envelope', () => {
  it.each<[string, (slack: SlackSimulator) => Promise<unknown>, string]>([
    [
      'command',
      (slack) => slack.slashCommand({ user: 'ada', channel: 'shop', text: 'acme/shop ü & do' }),
      'application/x-www-form-urlencoded',
    ],
    ['event', (slack) => slack.say({ user: 'ada', channel: 'shop', text: 'hello' }), 'application/json'],
    [
      'interaction',
      async (slack) => {
        const { ts } = await caller(slack)('chat.postMessage', {
          channel: slack.directChannel('ada'),
          text: 'x',
          blocks: [{ type: 'actions', elements: [button('Go', 'go')] }],
        });
        await slack.click({ user: 'ada', channel: slack.directChannel('ada'), ts: String(ts), button: 'go' });
      },
      'application/x-www-form-urlencoded',
    ],
  ])('of kind %s becomes the signed request that Slack sends over HTTP', async (kind, act, contentType) => {
    const { slack, app } = await start();
    await act(slack);
    const delivered = slack.deliveries().find((one) => one.kind === kind);
    const received = app.received.find(({ body }) => body === delivered?.body);
    expect(received?.headers).toMatchObject({ 'content-type': contentType });
    verifySlackRequest({
      signingSecret,
      body: received?.body ?? '',
      headers: {
        'x-slack-signature': String(received?.headers['x-slack-signature']),
        'x-slack-request-timestamp': Number(received?.headers['x-slack-request-timestamp']),
      },
    });
  });

  it.each([
    ['nothing', '', ''],
    ['text', 'working on it', JSON.stringify({ text: 'working on it' })],
    [
      'JSON',
      { response_action: 'errors', errors: { a: 'No.' } },
      JSON.stringify({ response_action: 'errors', errors: { a: 'No.' } }),
    ],
  ])('is acknowledged with the Worker’s answer (%s)', async (_, body, acknowledged) => {
    const { slack, app } = await start();
    app.answer = () => ({ body });
    const command = await slack.slashCommand({ user: 'ada', channel: 'shop', text: 'x' });
    expect(command).toMatchObject({ status: 200, body: acknowledged });
  });

  it('with an event is acknowledged without a payload', async () => {
    const { slack, app } = await start();
    app.answer = () => ({ body: 'ok' });
    const { answers } = await slack.say({ user: 'ada', channel: 'shop', text: 'x' });
    expect(answers).toMatchObject([{ status: 200, body: '' }]);
  });

  it('that the Worker refuses is not acknowledged, so that Slack redelivers it', async () => {
    const { slack, app, log } = await start();
    app.answer = () => ({ status: 503 });
    const { answers } = await slack.say({ user: 'ada', channel: 'shop', text: 'x' });
    expect(answers).toMatchObject([{ status: null, error: 'operation_timeout' }]);
    expect(log).toContainEqual({ event: 'slack.envelope_failed', kind: 'events_api', status: 503 });
  });

  it('that is redelivered carries the retry number', async () => {
    const { slack, app } = await start();
    const { answers } = await slack.say({ user: 'ada', channel: 'shop', text: 'x' });
    const [first] = answers;
    if (first === undefined) throw new Error('nothing was delivered');
    await slack.redeliver(first.delivery, { retryNum: 2, reason: 'http_timeout' });
    expect(app.received[1]?.headers).toMatchObject({
      'x-slack-retry-num': '2',
      'x-slack-retry-reason': 'http_timeout',
    });
    expect(app.received.map((one) => payloadIn(one)['event_id'])).toEqual(
      Array.from({ length: 2 }, () => payloadIn(app.received[0] ?? { headers: {}, body: '' })['event_id']),
    );
  });
});

describe('a request', () => {
  it('takes no invalid header from an envelope', () => {
    const request = requestOf(
      { type: 'events_api', body: {}, retry_num: 1, retry_reason: 'a\r\nx-evil: 1' },
      's',
      1,
    );
    expect(request?.headers).not.toHaveProperty('x-slack-retry-reason');
  });
  it('is not made from an unknown kind of envelope', () => {
    expect(requestOf({ type: 'disconnect', body: {} }, 's', 1)).toBeNull();
  });
});

describe('the connection', () => {
  it.each<[string, (slack: SlackSimulator) => void]>([
    ['Slack asks for it', (slack) => slack.socket.disconnect('refresh_requested')],
    ['the network breaks', (slack) => slack.socket.drop()],
    [
      'Slack answers the reconnection with an error',
      (slack) => {
        slack.failNext({ method: 'apps.connections.open', fails: { status: 500 } });
        slack.failNext({ method: 'apps.connections.open', fails: { error: 'internal_error' } });
        slack.socket.drop();
      },
    ],
  ])('is re-established when %s', async (_, part) => {
    const { slack, app, log } = await start();
    expect(slack.socket.connections()).toBe(1);
    part(slack);
    await expect.poll(() => log.filter(({ event }) => event === 'slack.socket_connected')).toHaveLength(2);
    await slack.slashCommand({ user: 'ada', channel: 'shop', text: 'still there' });
    expect(app.received.at(-1)?.body).toContain('still+there');
  });

  it('ends with `stop` and is not re-established', async () => {
    const { slack, socket } = await start();
    await socket.stop();
    await expect.poll(() => slack.socket.connections()).toBe(0);
    const calls = slack.calls().length;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(slack.calls()).toHaveLength(calls);
  });

  it.each([
    ['invalid_auth', /^Slack does not accept SLACK_APP_TOKEN \(invalid_auth\)/],
    ['missing_scope', /connections:write/],
    ['not_allowed_token_type', /is not an app-level token/],
    ['forbidden_team', /^Slack refused the Socket Mode connection \(forbidden_team\)/],
  ])('that Slack refuses with %s fails the start with one line', async (code, line) => {
    const slack = await startWorkspace({ deliverTo: 'socket' });
    toStop.push(() => slack.close());
    slack.failNext({ method: 'apps.connections.open', fails: { error: code } });
    const problem: unknown = await refused({}, slack).catch((thrown: unknown) => thrown);
    expect(problem).toHaveProperty('message', expect.stringMatching(line));
    expect(problem).toHaveProperty('message', expect.not.stringContaining(slack.appToken));
  });

  it('that cannot be reached fails the start with one line', async () => {
    const slack = await startWorkspace({ deliverTo: 'socket' });
    toStop.push(() => slack.close());
    await expect(refused({ apiUrl: 'http://127.0.0.1:9/api/' }, slack)).rejects.toThrow(
      /^Slack could not be reached: [^\n]+$/,
    );
  });
});
