/**
 * The Web API: checks the token, injects planned faults and dispatches to the method. The `emulate` package
 * holds the state. This table lists where emulate differs from Slack, and the file that corrects it. Sources
 * are docs.slack.dev/reference/methods/<method> unless another page is named.
 *
 * | emulate 0.12.2                                            | Slack                                               | corrected in            |
 * | --------------------------------------------------------- | --------------------------------------------------- | ----------------------- |
 * | an unknown token acts as its administrator                | `invalid_auth`, without one `not_authed`            | `tokenRefusal`              |
 * | an unsupported method: 404                                | `unknown_method`                                    | emulator.ts             |
 * | 5,000 calls an hour for a token, then 403                 | limits by method and minute, 429 with `Retry-After` | emulator.ts, faults.ts  |
 * | accepts any blocks                                        | `invalid_blocks`; views: `invalid_arguments`        | methods/messages, views |
 * | adds no `block_id` to blocks, no `action_id` to elements  | adds both                                           | blocks.ts               |
 * | the bot posts to public channels that it is not in        | `not_in_channel` without `chat:write.public`        | methods/messages        |
 * | a bot's message has no `bot_id`; the caller can set one   | sets `bot_id` and ignores the caller's              | methods/messages        |
 * | accepts a `thread_ts` that does not exist                 | refuses it (the code is not documented)             | methods/messages        |
 * | chat.update of an archived channel                        | `is_inactive`                                       | methods/messages        |
 * | chat.update accepts 40,000 characters                     | above 4,000 `msg_too_long`                          | methods/messages        |
 * | chat.update of an unknown channel: `message_not_found`    | `channel_not_found`                                 | methods/messages        |
 * | chat.update of blocks sets `edited`                       | only changed text sets `edited`                     | methods/messages        |
 * | reactions in archived channels, with any name             | `is_archived`, `invalid_name`                       | methods/messages        |
 * | the permalink points to emulate's own pages               | points to the workspace                             | methods/messages        |
 * | replies and history ignore `oldest`, `latest`, `inclusive` | apply them                                         | methods/conversations   |
 * | replies of an unknown thread: an empty list               | `thread_not_found`                                  | methods/conversations   |
 * | replies are not paged                                     | `limit`, `cursor`; the root is on every page        | methods/conversations   |
 * | the root of a thread has no `thread_ts`                   | its own `ts`                                        | methods/conversations   |
 * | always returns metadata                                   | only with `include_all_metadata`                    | methods/conversations   |
 * | history omits replies that were also sent to the channel  | `thread_broadcast` is in history and replies        | methods/conversations   |
 * | reads any public channel                                  | `not_in_channel` if the bot is not a member         | methods/conversations   |
 * | users.info: no guests, strangers, deactivated users       | flags and the user's own team                       | methods/people          |
 * | no `usergroups.users.list`, no `apps.connections.open`    |                                                     | methods/people, below   |
 * | no `agents.sessions.setStatus`                            | for apps that are agents                            | methods/sessions        |
 * | views.open accepts only trigger ids that emulate made     | ids of commands and interactions, for 3 s, once     | methods/views           |
 * | no files                                                  | `files.info`, `url_private`                         | shared-files.ts         |
 * | sends events without `authorizations`, by subscription    | by scope and membership, with `authorizations`      | events.ts               |
 */
import type { Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import type { Fault } from './contract.ts';
import { parseJsonObject, textOf, type Json } from './json-values.ts';
import { forward, refuse, type Method, type Result } from './methods/call.ts';
import { conversationMethods } from './methods/conversations.ts';
import { messageMethods } from './methods/messages.ts';
import { peopleMethods } from './methods/people.ts';
import { sessionMethods } from './methods/sessions.ts';
import { viewMethods } from './methods/views.ts';
import { fileMethods } from './shared-files.ts';
import type { Site } from './site.ts';

type SlackContext = Context<{ Bindings: HttpBindings }>;

const correctedMethods: Readonly<Record<string, Method>> = {
  ...messageMethods,
  ...conversationMethods,
  ...peopleMethods,
  ...sessionMethods,
  ...viewMethods,
  ...fileMethods,
};

/** Thrown after the client's connection was closed, when no response can be sent. */
export class ConnectionCut extends Error {}

export async function serveMethod(site: Site, c: SlackContext): Promise<Response> {
  const method = c.req.param('method') ?? '';
  const { args, token } = await readArguments(c);
  const channel = textOf(args['channel'] ?? args['channel_id']) || null;
  return await runLogged(site, c, { method, channel }, async () => {
    const refusal = tokenRefusal(site, method, token);
    if (refusal !== null) return c.json(refusal);
    const wait = method === 'chat.postMessage' ? site.messageLimit.take(channel ?? '', Date.now()) : null;
    if (wait !== null) return c.json(refuse('ratelimited'), 429, { 'retry-after': String(wait) });
    if (method === 'apps.connections.open') return c.json(openConnection(site));
    const answer = await (correctedMethods[method] ?? forward)({ site, method, args });
    return c.json(answer, 200, { 'x-oauth-scopes': site.token.shownScopes.join(',') });
  });
}

/** Runs the call, or the fault planned for it, and logs the result. */
export async function runLogged(
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
    const response = fault === null ? await run() : await failedResponse(c, fault);
    const body = parseJsonObject(await response.clone().text());
    const error = textOf(body?.['error']) || null;
    write(response.status, response.ok && error === null, error);
    return response;
  } catch (error) {
    write(null, false, error instanceof ConnectionCut ? error.message : 'internal_error');
    throw error;
  }
}

async function failedResponse(c: SlackContext, { fails }: Fault): Promise<Response> {
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

/** Slack's refusal of the token, or null if the token is valid. The method checks its scopes. */
function tokenRefusal(site: Site, method: string, token: string): Result | null {
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
