/**
 * Handles messages, the ❌ reaction that cancels a task, and Slack's Stop button. Only new messages of people
 * start tasks. A mention in a channel arrives twice and gives one task id; only `app_mention` reports a
 * problem.
 */
import * as z from 'zod';
import { slackChannelIdSchema, slackTsSchema, slackUserIdSchema } from '../core/task.ts';
import { DeadlineError, withDeadline } from '../lib/with-deadline.ts';
import { cancelTask } from './control.ts';
import { notifyDeadlineMs } from './deadline.ts';
import { isFollowUp } from './follow-up.ts';
import type { Intake } from './intake.ts';
import { messageWords, wordless, wordFields, type Wordless } from './message-words.ts';
import { renderUntrusted } from './mrkdwn.ts';
import { asksInReply, isoTimeOf, mentions, readMessage, requestOf } from './requests.ts';
import { sentences } from './sentences.ts';
import { sessionStoppedSchema, stopThread } from './session-stop.ts';
import { parsePayload } from './unreadable.ts';
import { readWordless } from './wordless.ts';

/** Matches the event types handled here. */
export const eventPattern = /^(?:app_mention|message|reaction_added|agent_session_stopped)$/;

/** A new message of a person. */
interface PersonMessage {
  readonly channelId: string;
  readonly userId: string;
  readonly ts: string;
  /** The root of its thread; null for a top-level message. */
  readonly threadTs: string | null;
  /** Its words as mrkdwn. */
  readonly text: string;
  /** What it holds if it has no words. */
  readonly wordless: Wordless | null;
  readonly botUserId: string;
}

type EventReading =
  | { readonly kind: 'ignored'; readonly why: string }
  /** `duplicate`: a `message` event for which Slack also sends an `app_mention`. */
  | { readonly kind: 'mention'; readonly message: PersonMessage; readonly duplicate: boolean }
  | { readonly kind: 'direct'; readonly message: PersonMessage }
  /** An edit that adds a mention to a message of a person. */
  | { readonly kind: 'edit'; readonly message: PersonMessage }
  /** A reply in a thread, which may belong to a task. */
  | { readonly kind: 'reply'; readonly message: PersonMessage & { readonly threadTs: string } }
  | {
      readonly kind: 'session-stopped';
      readonly stopped: z.infer<typeof sessionStoppedSchema>;
    }
  | {
      readonly kind: 'cancel-reaction';
      readonly channelId: string;
      readonly ts: string;
      readonly userId: string;
    };

const envelopeSchema = z.object({
  authorizations: z.array(z.object({ user_id: slackUserIdSchema })).min(1),
});
const messageSchema = z.object({
  type: z.enum(['app_mention', 'message']),
  subtype: z.string().nullish(),
  user: slackUserIdSchema.nullish(),
  bot_id: z.string().nullish(),
  /** An app wrote the message. Some events of bots have only one of these. */
  app_id: z.unknown().optional(),
  bot_profile: z.unknown().optional(),
  edited: z.unknown().optional(),
  ...wordFields,
  ts: slackTsSchema,
  thread_ts: slackTsSchema.nullish(),
  channel: slackChannelIdSchema,
  channel_type: z.string().nullish(),
});
/** https://docs.slack.dev/reference/events/message/message_changed */
const changeSchema = z.object({
  channel: slackChannelIdSchema,
  message: messageSchema.omit({ channel: true, type: true }).extend({
    team: z.string().nullish(),
    user_team: z.string().nullish(),
    source_team: z.string().nullish(),
  }),
  previous_message: z.object(wordFields),
});
const reactionSchema = z.object({
  type: z.literal('reaction_added'),
  user: slackUserIdSchema,
  reaction: z.string(),
  item: z.object({
    type: z.string(),
    channel: slackChannelIdSchema.optional(),
    ts: slackTsSchema.optional(),
  }),
});
const eventSchema = z.object({ event: z.object({ type: z.string() }).loose() });

/** Subtypes of messages from people: https://docs.slack.dev/reference/events/message#subtypes */
const personSubtypes: readonly string[] = ['file_share', 'thread_broadcast'];
const ignored = (why: string): EventReading => ({ kind: 'ignored', why });

/** Classifies an event. Throws `UnreadablePayloadError` if a handled event has an unknown format. */
function readEvent(body: unknown, team: string): EventReading {
  const { event } = parsePayload(eventSchema, body);
  if (event.type === 'agent_session_stopped')
    return { kind: 'session-stopped', stopped: parsePayload(sessionStoppedSchema, event) };
  if (event.type === 'reaction_added') {
    const { reaction, item, user } = parsePayload(reactionSchema, event);
    if (reaction !== 'x' || item.type !== 'message') return ignored('another reaction');
    if (item.channel === undefined || item.ts === undefined) return ignored('a reaction without a message');
    return { kind: 'cancel-reaction', channelId: item.channel, ts: item.ts, userId: user };
  }
  // Check the subtype first, because an edit has another format.
  const { subtype, hidden } = parsePayload(
    z.object({ subtype: z.string().nullish(), hidden: z.boolean().optional() }),
    event,
  );
  const isEdit = subtype === 'message_changed';
  if (!isEdit && (hidden === true || (subtype != null && !personSubtypes.includes(subtype)))) {
    return ignored('not a new message of a person');
  }
  const botUserId = parsePayload(envelopeSchema, body).authorizations[0]?.user_id ?? '';
  if (isEdit) return readEdit(event, botUserId, team);
  const payload = parsePayload(messageSchema, event);
  if (isSet(payload.edited)) return ignored('edited');
  const message = personMessage(payload, payload.channel, botUserId);
  if (message === null) return ignored('not written by a person');
  const { ts, channelId: channel } = message;
  const mentioned = mentions(message.text, botUserId);
  if (payload.type === 'app_mention')
    return mentioned ? { kind: 'mention', message, duplicate: false } : ignored('mentioned in a quotation');
  if (payload.channel_type === 'im' || channel.startsWith('D')) return { kind: 'direct', message };
  if (mentioned) return { kind: 'mention', message, duplicate: true };
  const { threadTs } = message;
  if (threadTs === null || threadTs === ts) return ignored('not addressed to the bot');
  if (message.wordless === null && !asksInReply(message.text))
    return ignored('a reply that asks for nothing');
  return { kind: 'reply', message: { ...message, threadTs } };
}

const isAddressed = ({ channelId, text, botUserId }: PersonMessage): boolean =>
  channelId.startsWith('D') || mentions(text, botUserId);
const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/** The message, or null if software wrote it. */
function personMessage(
  payload: Omit<z.infer<typeof messageSchema>, 'channel' | 'type'>,
  channelId: string,
  botUserId: string,
): PersonMessage | null {
  const { user, ts, thread_ts: threadTs } = payload;
  if (user == null || user === botUserId || user === 'USLACKBOT') return null;
  if ([payload.bot_id, payload.app_id, payload.bot_profile].some(isSet)) return null;
  const text = messageWords(payload);
  return {
    channelId,
    userId: user,
    ts,
    threadTs: threadTs ?? null,
    text,
    wordless: wordless(payload, text),
    botUserId,
  };
}

/** An edit starts nothing, so that nobody can change a request; but a mention that it adds gets an answer. */
function readEdit(event: unknown, botUserId: string, team: string): EventReading {
  const parsed = changeSchema.safeParse(event).data;
  if (parsed === undefined) return ignored('an edit without both versions');
  const { message: edited, previous_message: previous, channel } = parsed;
  // The workspaces of an organization are known to Slack alone.
  const strange =
    !team.startsWith('E') &&
    [edited.team, edited.user_team, edited.source_team].some((own) => isSet(own) && own !== team);
  const message = strange || channel.startsWith('D') ? null : personMessage(edited, channel, botUserId);
  const added =
    message !== null && mentions(message.text, botUserId) && !mentions(messageWords(previous), botUserId);
  return added ? { kind: 'edit', message } : ignored('an edit that adds no mention');
}

interface Redelivery {
  /** Slack redelivered because the first answer was late: it is handled already. */
  readonly answeredLate: boolean;
}

/** Handles an event. Rejects if the effect is not durable, so that Slack redelivers the event. */
export async function answerEvent(intake: Intake, body: unknown, redelivery: Redelivery): Promise<void> {
  const reading = readEvent(body, intake.slack.team);
  switch (reading.kind) {
    case 'ignored':
      return intake.deps.log('slack.ignored', { why: reading.why });
    case 'session-stopped':
      return await stopThread(intake, reading.stopped);
    case 'cancel-reaction':
      return await cancelByReaction(intake, reading);
    case 'edit':
      return await reportProblem(intake, reading.message, sentences.edited, redelivery);
    case 'mention':
      return await start(intake, reading.message, {
        event: 'mention',
        duplicate: reading.duplicate,
        redelivery,
      });
    case 'direct':
      return await start(intake, reading.message, { event: 'message', duplicate: false, redelivery });
    case 'reply':
      if (await isFollowUp(intake, reading.message))
        return await start(intake, reading.message, { event: 'message', duplicate: false, redelivery });
      return intake.deps.log('slack.ignored', { why: 'a reply that is no follow-up' });
  }
}

interface Delivery {
  readonly event: 'mention' | 'message';
  readonly duplicate: boolean;
  readonly redelivery: Redelivery;
}

async function start(
  intake: Intake,
  message: PersonMessage,
  { event, duplicate, redelivery }: Delivery,
): Promise<void> {
  const { deps, slack } = intake;
  const reading =
    readWordless(message.wordless, isAddressed(message)) ??
    readMessage(message.text, message.botUserId, (word) => deps.repositoryByAlias(word));
  if (reading.kind === 'nothing') return deps.log('slack.ignored', { why: 'asks for nothing' });
  if (reading.kind === 'problem') {
    if (duplicate) return deps.log('slack.ignored', { why: 'the app_mention event reports the problem' });
    return await reportProblem(intake, message, reading.problem, redelivery);
  }
  const { asked } = reading;
  const request = await requestOf(
    {
      key: { event: 'message', teamId: slack.team, channelId: message.channelId, ts: message.ts },
      trigger: {
        event,
        teamId: slack.team,
        channelId: message.channelId,
        userId: message.userId,
        threadTs: message.threadTs ?? message.ts,
        messageTs: message.ts,
        triggeredAt: isoTimeOf(message.ts),
      },
      ask: asked.ask,
      repository: asked.repository,
      instruction: asked.instruction,
      options: asked.options,
    },
    deps.now(),
  );
  const outcome = await deps.startTask(request);
  deps.log('slack.accepted', { taskId: request.taskId, outcome });
}

/** Not after a late answer, which would show it twice. Rejects so that Slack redelivers. */
async function reportProblem(
  intake: Intake,
  message: PersonMessage,
  problem: string,
  redelivery: Redelivery,
): Promise<void> {
  if (redelivery.answeredLate)
    return intake.deps.log('slack.ignored', { why: 'reported by the first delivery' });
  intake.deps.log('slack.not_understood', {});
  const { userId, channelId, threadTs } = message;
  try {
    const notified = intake.notifyPerson({ userId, channelId, threadTs, text: renderUntrusted(problem) });
    await withDeadline(notified, notifyDeadlineMs, 'reporting a problem to the author');
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    intake.deps.log('slack.notify_failed', { error: String(error) });
  }
}

/** Cancels a task if its requester adds ❌ to the triggering message or to the task's post. */
async function cancelByReaction(
  intake: Intake,
  reaction: Extract<EventReading, { kind: 'cancel-reaction' }>,
): Promise<void> {
  const { deps } = intake;
  const { channelId, ts, userId } = reaction;
  const task = await deps.index.byMessage(channelId, ts);
  if (task === null || task.userId !== userId)
    return deps.log('slack.ignored', { why: 'a ❌ that belongs to no task of this user' });
  const text = await cancelTask(intake, task.taskId, { userId, channelId });
  await intake.notifyPerson({ userId, channelId, threadTs: task.threadTs, text });
}
