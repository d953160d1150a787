/**
 * emulate's Slack with the manifest's scopes, behind a small server that adds what emulate lacks: rate
 * limits, lost answers, kinds of people, metadata only on request, `oldest`.
 */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createEmulator } from 'emulate';
import { z } from 'zod';
import { readBody } from '../fake-engine/http-parts.ts';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
/** `lost`: performed, but its answer is lost. `silence`: neither performed nor answered. */
export type Fault = Answer | 'lost' | 'silence';

const scopes = z
  .object({ oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()) }) }) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../slack-manifest.json'), 'utf8')))
  .oauth_config.scopes.bot;

const message = z.looseObject({
  ts: z.string(),
  user: z.string().optional(),
  text: z.string(),
  thread_ts: z.string().optional(),
  blocks: z.array(z.looseObject({ type: z.string() })).optional(),
  metadata: z.unknown().optional(),
  reactions: z.array(z.object({ name: z.string() })).optional(),
});
export type Message = z.infer<typeof message>;
const answerSchema = z.looseObject({ ok: z.boolean(), error: z.string().optional() });

export const botToken = 'xoxb-airlock';
const peopleToken = (name: string) => `xoxp-${name}`;
const allScopes = [...scopes, 'channels:read', 'channels:manage', 'groups:write', 'im:read'];

export async function startSlack(people: readonly string[]) {
  const names = [...people, 'airlock'];
  const emulator = await createEmulator({
    service: 'slack',
    port: 0,
    seed: {
      slack: {
        strict_scopes: true,
        users: names.map((name) => ({ name })),
        channels: [{ name: 'work' }, { name: 'secret', is_private: true }],
        tokens: [
          { token: botToken, type: 'bot', user: 'airlock', scopes },
          ...people.map((name) => ({
            token: peopleToken(name),
            type: 'user',
            user: name,
            scopes: allScopes,
          })),
        ],
      },
    },
  });
  const faults = new Map<string, Fault[]>();
  const overlays = new Map<string, object>();
  const groups = new Map<string, readonly string[]>();
  const calls: { method: string; args: Readonly<Record<string, string>> }[] = [];

  async function forward(method: string, body: string, token: string) {
    const response = await fetch(`${emulator.url}/api/${method}`, {
      method: 'POST',
      headers: { authorization: token, 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
    return answerSchema.parse(await response.json());
  }

  /** Adds to emulate's answer what emulate lacks. */
  function completed(method: string, args: URLSearchParams, answer: z.infer<typeof answerSchema>) {
    if (method === 'users.info' && answer.ok) {
      return {
        ...answer,
        user: { ...z.looseObject({}).parse(answer['user']), ...overlays.get(args.get('user') ?? '') },
      };
    }
    if (method === 'conversations.replies' || method === 'conversations.history') {
      const messages = z.array(message).safeParse(answer['messages']).data ?? [];
      const since = messages.filter(({ ts }) => Number(ts) >= Number(args.get('oldest') ?? '0'));
      const plain = since.map((one) => ({ ...one, metadata: undefined }));
      return { ...answer, messages: args.get('include_all_metadata') === 'true' ? since : plain };
    }
    return answer;
  }

  function respond(response: ServerResponse, answer: Answer): void {
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
  }

  const server = createServer((request, response) => {
    void (async () => {
      const body = (await readBody(request)).toString();
      const method = (request.url ?? '').replace('/api/', '');
      const args = new URLSearchParams(body);
      calls.push({ method, args: Object.fromEntries(args) });
      const fault = faults.get(method)?.shift();
      if (fault === 'silence') return;
      if (fault !== undefined && fault !== 'lost') return respond(response, fault);
      if (method === 'usergroups.users.list') {
        const users = groups.get(args.get('usergroup') ?? '');
        return respond(response, {
          body: users === undefined ? { ok: false, error: 'no_such_subteam' } : { ok: true, users },
        });
      }
      if (method === 'agents.sessions.setStatus')
        return respond(response, { body: { ok: true, status: args.get('status') } });
      const answer = await forward(method, body, request.headers.authorization ?? '');
      if (fault === 'lost') response.destroy();
      else respond(response, { body: completed(method, args, answer) });
    })();
  });
  await new Promise<void>((ready) => {
    server.listen(0, '127.0.0.1', ready);
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;

  /** Calls a method as a user. Throws if Slack refuses. */
  async function as(name: string, method: string, args: Readonly<Record<string, string>>) {
    const answer = await forward(method, new URLSearchParams(args).toString(), `Bearer ${peopleToken(name)}`);
    if (!answer.ok) throw new Error(`${method}: ${answer.error ?? ''}`);
    return answer;
  }
  const members = z
    .array(z.object({ id: z.string(), name: z.string() }))
    .parse((await as(people[0] ?? '', 'users.list', {}))['members']);
  const listed = await as(people[0] ?? '', 'conversations.list', { types: 'public_channel' });
  const channels = z.array(z.object({ id: z.string(), name: z.string() })).parse(listed['channels']);
  const idOf = (list: readonly { id: string; name: string }[], name: string): string => {
    const found = list.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found.id;
  };
  const userId = (name: string) => idOf(members, name);

  return {
    apiUrl: `http://127.0.0.1:${port}/api/`,
    teamId: 'T000000001',
    userId,
    channelId: (name: string) => idOf(channels, name),
    as,
    calls,
    /** Sets the faults of the next calls of a method, in order. */
    fail: (method: string, ...next: readonly Fault[]) => void faults.set(method, [...next]),
    /** Sets fields of a user that emulate cannot set. */
    describe: (name: string, fields: object) => void overlays.set(userId(name), fields),
    group: (id: string, ...inIt: readonly string[]) => void groups.set(id, inIt.map(userId)),
    async say(name: string, channel: string, text: string, threadTs?: string): Promise<string> {
      const thread = threadTs === undefined ? {} : { thread_ts: threadTs };
      return z.string().parse((await as(name, 'chat.postMessage', { channel, text, ...thread }))['ts']);
    },
    /** All messages in a channel that a user can see, including threads, oldest first. */
    async messages(name: string, channel: string): Promise<readonly Message[]> {
      const { messages } = await as(name, 'conversations.history', { channel, limit: '100' });
      const roots = z.array(message).parse(messages);
      return roots.toSorted((one, other) => Number(one.ts) - Number(other.ts));
    },
    async replies(name: string, channel: string, ts: string): Promise<readonly Message[]> {
      return z.array(message).parse((await as(name, 'conversations.replies', { channel, ts }))['messages']);
    },
    /** The id of the direct message channel between a user and the bot. */
    async directChannel(name: string): Promise<string> {
      const { channel } = await as(name, 'conversations.open', { users: userId('airlock') });
      return z.object({ id: z.string() }).parse(channel).id;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => {
        server.close(closed);
      });
      await emulator.close();
    },
  };
}
export type SlackFront = Awaited<ReturnType<typeof startSlack>>;
