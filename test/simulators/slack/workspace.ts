/** A simulated workspace, an app with configurable answers, and a Web API client. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { z } from 'zod';
import type { SlackSimulator, SlackSimulatorOptions } from '../../../simulators/slack/contract.ts';
import { startSlackSimulator } from '../../../simulators/slack/simulator.ts';

export const signingSecret = 'a signing secret for tests';
const botScopes = [
  'app_mentions:read',
  'assistant:write',
  'channels:history',
  'channels:read',
  'chat:write',
  'commands',
  'files:read',
  'groups:history',
  'im:history',
  'im:write',
  'reactions:read',
  'reactions:write',
  'usergroups:read',
  'users:read',
];

export function startWorkspace(changes: Partial<SlackSimulatorOptions> = {}): Promise<SlackSimulator> {
  return startSlackSimulator({
    signingSecret,
    botScopes,
    users: [
      { name: 'ada', displayName: 'Ada Lovelace', groups: ['developers'] },
      { name: 'bob' },
      { name: 'gus', kind: 'guest' },
      { name: 'sam', kind: 'stranger' },
      { name: 'dan', kind: 'deactivated', groups: ['developers'] },
      { name: 'robo', kind: 'bot' },
    ],
    channels: [
      { name: 'shop', members: ['ada', 'bob', 'gus', 'sam', 'robo'] },
      { name: 'back-room', private: true, members: ['ada'] },
      { name: 'elsewhere', members: ['ada'], withBot: false },
    ],
    deliverTo: 'http',
    ...changes,
  });
}

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Reply {
  readonly status?: number;
  readonly body?: unknown;
}

/** The app under simulation: records its requests and answers with `answer`. */
export class TestApp {
  readonly received: Received[] = [];
  answer: (received: Received) => Reply | Promise<Reply> = () => ({});
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const received = { headers: request.headers, body: Buffer.concat(chunks).toString() };
        this.received.push(received);
        void Promise.resolve(this.answer(received)).then(({ status = 200, body = '' }) => {
          response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
        });
      });
    });
  }

  static async start(): Promise<TestApp> {
    const app = new TestApp();
    await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
    return app;
  }

  get url(): string {
    const address = z.object({ port: z.number() }).parse(this.server.address());
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Parses the JSON of an event, or of the `payload` field of a form. */
export function payloadIn({ body, headers }: Received): Record<string, unknown> {
  const json =
    headers['content-type'] === 'application/json' ? body : (new URLSearchParams(body).get('payload') ?? '');
  return z.record(z.string(), z.unknown()).parse(JSON.parse(json));
}

export type Answered = Readonly<Record<string, unknown>> & { readonly ok: boolean };
const answered = z.looseObject({ ok: z.boolean() });

/** Returns a function that calls the Web API with JSON, by default with the bot token. */
export function caller(slack: SlackSimulator) {
  return async (
    method: string,
    args: Readonly<Record<string, unknown>>,
    token = slack.botToken,
  ): Promise<Answered> => {
    const response = await fetch(`${slack.apiUrl}${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(args),
      signal: AbortSignal.timeout(10_000),
    });
    return answered.parse(await response.json());
  };
}

export const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
export const button = (text: string, actionId: string, value = 'v') => ({
  type: 'button',
  action_id: actionId,
  text: { type: 'plain_text', text },
  value,
});
export const form = {
  type: 'modal',
  callback_id: 'form',
  title: { type: 'plain_text', text: 'A form' },
  submit: { type: 'plain_text', text: 'Send' },
  blocks: [
    {
      type: 'input',
      block_id: 'words',
      label: { type: 'plain_text', text: 'Words' },
      element: { type: 'plain_text_input', action_id: 'words', max_length: 10 },
    },
    {
      type: 'input',
      block_id: 'repository',
      optional: true,
      label: { type: 'plain_text', text: 'Repository' },
      element: { type: 'external_select', action_id: 'repository', min_query_length: 1 },
    },
  ],
};

/** The string at a path of keys, or undefined. */
export function textIn(value: unknown, ...path: readonly string[]): string | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return typeof value === 'string' ? value : undefined;
  const inner = z.record(z.string(), z.unknown()).safeParse(value).data?.[key];
  return textIn(inner, ...rest);
}
