/** `agents.sessions.*`: https://docs.slack.dev/ai/agent-sessions. emulate has none of it. */
import type { AgentsSessionsSetStatusResponse } from '@slack/web-api';
import type { Json } from '../json-values.ts';
import { missingScope, refuse, refuseWithMessages, text, type Method, type Result } from './call.ts';

const statuses = ['active', 'processing', 'suspended', 'closed'] as const;
const maxTitle = 200;

/** https://docs.slack.dev/reference/methods/agents.sessions.setStatus */
const setStatus: Method = async (call) => {
  const { site } = call;
  const refusal = missingScope(site, 'chat:write');
  if (refusal !== null) return await Promise.resolve(refusal);
  // Declaring an app as an agent adds this scope to it. Slack does not document the code; apps report it.
  if (!site.botScopes.includes('assistant:write')) return refuse('not_authorized');
  const status = statuses.find((one) => one === text(call, 'status'));
  const title = text(call, 'title');
  if (status === undefined)
    return refuseWithMessages('invalid_arguments', ['failed to match all allowed: status']);
  if (title.length > maxTitle)
    return refuseWithMessages('invalid_arguments', ['must be less than 200: title']);
  const channel = site.workspace.findChannel(text(call, 'channel_id'));
  if (channel === null || !channel.members.has(site.workspace.bot.id)) return refuse('channel_not_found');
  const threadTs = text(call, 'thread_ts');
  const root = site.journal.find(channel.id, threadTs);
  if (root === null || root.deleted || (root.threadTs ?? root.ts) !== root.ts)
    return refuse('thread_not_found');
  const initiator = text(call, 'initiator_user_id');
  if (initiator !== '' && !channel.members.has(initiator)) return refuse('user_not_in_channel');
  const key = sessionKey(channel.id, threadTs);
  const session = { status, title: site.sessions.get(key)?.title ?? title };
  site.sessions.set(key, session);
  const answer: AgentsSessionsSetStatusResponse = { ok: true, ...session };
  return asResult(answer);
};

const asResult = ({ ok, status, title }: AgentsSessionsSetStatusResponse): Result =>
  ({ ok, status, title }) satisfies Json;

export const sessionKey = (channelId: string, threadTs: string): string => `${channelId} ${threadTs}`;

export const sessionMethods: Readonly<Record<string, Method>> = { 'agents.sessions.setStatus': setStatus };
