/**
 * The Web API: who calls, whether a fault is due, and which method answers. State is emulate's; this is what it says
 * otherwise than Slack, and where that is put right (docs.slack.dev/reference/methods/<method> unless another page is named):
 *
 * | emulate 0.12.2                                            | Slack                                               | here                    |
 * | --------------------------------------------------------- | --------------------------------------------------- | ----------------------- |
 * | an unknown token acts as its administrator                | `invalid_auth`, without one `not_authed`            | `identify`              |
 * | a method it does not have: 404                            | `unknown_method`                                    | emulator.ts             |
 * | 5,000 calls an hour for a token, then 403                 | limits by method and minute, 429 with `Retry-After` | emulator.ts, faults.ts  |
 * | takes any blocks                                          | `invalid_blocks`; views: `invalid_arguments`        | methods/messages, views |
 * | blocks keep no `block_id`, elements no `action_id`        | both are filled in                                  | blocks.ts               |
 * | the bot posts to public channels that it is not in        | `not_in_channel` without `chat:write.public`        | methods/messages        |
 * | a bot's message has no `bot_id`; the caller may set it    | always, and never the caller's                      | methods/messages        |
 * | `thread_ts` may name nothing                              | refused (the code is not documented)                | methods/messages        |
 * | chat.update of an archived channel                        | `is_inactive`                                       | methods/messages        |
 * | chat.update takes 40,000 characters                       | 4,000: `msg_too_long`                               | methods/messages        |
 * | chat.update of an unknown channel: `message_not_found`    | `channel_not_found`                                 | methods/messages        |
 * | chat.update of blocks leaves `edited`                     | changed text alone is marked                        | methods/messages        |
 * | reactions in archived channels, with any name             | `is_archived`, `invalid_name`                       | methods/messages        |
 * | the permalink leads to its own pages                      | to the workspace                                    | methods/messages        |
 * | replies and history: no `oldest`, `latest`, `inclusive`   | bounds of the answer                                | methods/conversations   |
 * | replies of nothing: an empty list                         | `thread_not_found`                                  | methods/conversations   |
 * | replies are not paged                                     | `limit`, `cursor`; the root is on every page        | methods/conversations   |
 * | the root of a thread has no `thread_ts`                   | its own `ts`                                        | methods/conversations   |
 * | metadata is always shown                                  | with `include_all_metadata`                         | methods/conversations   |
 * | history shows no replies that were sent to the channel    | `thread_broadcast` stands in both                   | methods/conversations   |
 * | any public channel can be read                            | `not_in_channel` for a bot outside                  | methods/conversations   |
 * | users.info: no guests, strangers, deactivated people      | flags and the person's own team                     | methods/people          |
 * | no `usergroups.users.list`, no `apps.connections.open`    |                                                     | methods/people, below   |
 * | views.open takes trigger ids of its own method alone      | those of commands and interactions, 3 s, once       | methods/views           |
 * | events without `authorizations`, to its own subscriptions  | by scope and membership, with `authorizations`       | events.ts               |
 */
import type { Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import type { Fault } from './contract.ts';
import { parseJsonObject, textOf, type Json } from './json-values.ts';
import { pass, refuse, type Method, type Result } from './methods/call.ts';
import { conversationMethods } from './methods/conversations.ts';
import { messageMethods } from './methods/messages.ts';
import { peopleMethods } from './methods/people.ts';
import { viewMethods } from './methods/views.ts';
import type { Site } from './site.ts';

type SlackContext = Context<{ Bindings: HttpBindings }>;

const corrected: Readonly<Record<string, Method>> = {
  ...messageMethods,
  ...conversationMethods,
  ...peopleMethods,
  ...viewMethods,
};

/** The simulated client's connection is cut: nothing can be sent any more. */
export class ConnectionCut extends Error {}

export async function serveMethod(site: Site, c: SlackContext): Promise<Response> {
  const method = c.req.param('method') ?? '';
  const { args, token } = await readArguments(c);
  const channel = textOf(args['channel']) || null;
  return await logged(site, c, { method, channel }, async () => {
    const refusal = identify(site, method, token);
    if (refusal !== null) return c.json(refusal);
    const wait = method === 'chat.postMessage' ? site.messageLimit.take(channel ?? '', Date.now()) : null;
    if (wait !== null) return c.json(refuse('ratelimited'), 429, { 'retry-after': String(wait) });
    if (method === 'apps.connections.open') return c.json(openConnection(site));
    const answer = await (corrected[method] ?? pass)({ site, method, args });
    return c.json(answer, 200, { 'x-oauth-scopes': site.token.shownScopes.join(',') });
  });
}

/** Runs the call with the fault that is due for it, and writes it down. */
export async function logged(
  site: Site,
  c: SlackContext,
  call: { readonly method: string; readonly channel: string | null },
  run: () => Promise<Response>,
): Promise<Response> {
  const at = Date.now();
  const start = performance.now();
  const write = (status: number | null, ok: boolean, error: string | null): void =>
    site.calls.add({ at, ...call, status, ok, error, ms: performance.now() - start });
  const fault = site.faults.take(call.method);
  try {
    if (fault !== null && fault.when === 'after') await run();
    const response = fault === null ? await run() : await faulty(c, fault);
    const said = parseJsonObject(await response.clone().text());
    const error = textOf(said?.['error']) || null;
    write(response.status, response.ok && error === null, error);
    return response;
  } catch (error) {
    write(null, false, error instanceof ConnectionCut ? error.message : 'internal_error');
    throw error;
  }
}

async function faulty(c: SlackContext, { fails }: Fault): Promise<Response> {
  if (typeof fails === 'object') {
    if ('error' in fails) return c.json(refuse(fails.error));
    const { status, retryAfterSeconds: wait } = fails;
    return Response.json(refuse(status === 429 ? 'ratelimited' : 'internal_error'), {
      status,
      headers: wait === undefined ? {} : { 'retry-after': String(wait) },
    });
  }
  const { outgoing } = c.env;
  const closed = new Promise<void>((resolve) => {
    outgoing.once('close', () => resolve());
  });
  if (fails === 'reset') outgoing.destroy();
  await closed;
  throw new ConnectionCut(fails);
}

/** What Slack says of the token; null when it may go on. Which scopes a method needs is said later. */
function identify(site: Site, method: string, token: string): Result | null {
  if (token === '') return refuse('not_authed');
  if (token !== site.botToken && token !== site.appToken) return refuse('invalid_auth');
  if ((token === site.appToken) !== (method === 'apps.connections.open'))
    return refuse('not_allowed_token_type');
  return token === site.botToken && site.token.revoked ? refuse('token_revoked') : null;
}

function openConnection(site: Site): Result {
  return { ok: true, url: `${site.url.replace(/^http/, 'ws')}${site.socket.ticket()}` };
}

async function readArguments(c: SlackContext): Promise<{ readonly args: Json; readonly token: string }> {
  const body = await c.req.text();
  const isJsonBody = (c.req.header('content-type') ?? '').startsWith('application/json');
  const given: Json = {
    ...c.req.query(),
    ...(isJsonBody ? parseJsonObject(body) : Object.fromEntries(new URLSearchParams(body))),
  };
  const { token, ...args } = given;
  const bearer = /^Bearer\s+(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  return { args, token: bearer ?? textOf(token) };
}
