/**
 * Events: what people write and the ❌ they set. `readEvent` decides, on the payload alone, what an event could be; `answerEvent` looks up whose thread
 * or message it is and acts.
 *
 * Only what a person writes, once, when it is written: edited and deleted messages, joins, bots and our own messages start nothing. A mention in
 * a channel arrives twice, as `app_mention` and as `message`; both are one task, and what cannot be understood is answered to the first alone.
 */
import * as z from 'zod';
import { slackChannelIdSchema, slackTsSchema, slackUserIdSchema } from '../core/task.ts';
import { DeadlineError, withDeadline } from '../lib/with-deadline.ts';
import { cancelTask } from './control.ts';
import { tellDeadlineMs } from './deadline.ts';
import type { Intake } from './intake.ts';
import { renderUntrusted } from './mrkdwn.ts';
import { addressesAnother, instantOf, mentions, readMessage, requestOf } from './requests.ts';
import { readAs } from './unreadable.ts';

/** The types of events that are answered here. */
export const eventPattern = /^(?:app_mention|message|reaction_added)$/;

/** Something that a person wrote. */
interface Said {
  readonly channelId: string;
  readonly userId: string;
  readonly ts: string;
  /** null: it stands in no thread. */
  readonly threadTs: string | null;
  readonly text: string;
  readonly botUserId: string;
}

type EventReading =
  /** `why` is ours. */
  | { readonly kind: 'ignored'; readonly why: string }
  /** `twin`: the `message` of an `app_mention` that comes as well. */
  | { readonly kind: 'mention'; readonly said: Said; readonly twin: boolean }
  | { readonly kind: 'direct'; readonly said: Said }
  /** In a thread that may be a task's. */
  | { readonly kind: 'reply'; readonly said: Said & { readonly threadTs: string } }
  | { readonly kind: 'cross'; readonly channelId: string; readonly ts: string; readonly userId: string };

const envelopeSchema = z.object({
  authorizations: z.array(z.object({ user_id: slackUserIdSchema })).min(1),
});
const messageSchema = z.object({
  type: z.enum(['app_mention', 'message']),
  subtype: z.string().nullish(),
  user: slackUserIdSchema.nullish(),
  bot_id: z.string().nullish(),
  edited: z.unknown().optional(),
  text: z.string().nullish(),
  ts: slackTsSchema,
  thread_ts: slackTsSchema.nullish(),
  channel: slackChannelIdSchema,
  channel_type: z.string().nullish(),
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

/** Subtypes that are people's messages: https://docs.slack.dev/reference/events/message#subtypes */
const peoplesSubtypes: readonly string[] = ['file_share', 'thread_broadcast'];
const ignored = (why: string): EventReading => ({ kind: 'ignored', why });

/** Throws `UnreadablePayloadError` when it is one of ours in a shape that is not known: a mention may be lost with it. */
function readEvent(body: unknown): EventReading {
  const { event } = readAs(eventSchema, body);
  if (event.type === 'reaction_added') {
    const { reaction, item, user } = readAs(reactionSchema, event);
    if (reaction !== 'x' || item.type !== 'message') return ignored('another reaction');
    if (item.channel === undefined || item.ts === undefined) return ignored('a reaction to no message');
    return { kind: 'cross', channelId: item.channel, ts: item.ts, userId: user };
  }
  // Before all else: an edited message has a shape of its own.
  const { subtype, hidden } = readAs(
    z.object({ subtype: z.string().nullish(), hidden: z.boolean().optional() }),
    event,
  );
  if (hidden === true || (subtype != null && !peoplesSubtypes.includes(subtype))) {
    return ignored('not a new message of a person');
  }
  const message = readAs(messageSchema, event);
  const botUserId = readAs(envelopeSchema, body).authorizations[0]?.user_id ?? '';
  const { user, text, ts, channel } = message;
  if (user == null || message.bot_id != null || user === botUserId || user === 'USLACKBOT') {
    return ignored('not written by a person');
  }
  if (message.edited !== undefined && message.edited !== null) return ignored('edited');

  const said: Said = {
    channelId: channel,
    userId: user,
    ts,
    threadTs: message.thread_ts ?? null,
    text: text ?? '',
    botUserId,
  };
  if (message.type === 'app_mention') return { kind: 'mention', said, twin: false };
  if (message.channel_type === 'im' || channel.startsWith('D')) return { kind: 'direct', said };
  if (mentions(said.text, botUserId)) return { kind: 'mention', said, twin: true };
  const { threadTs } = said;
  if (threadTs === null || threadTs === ts) return ignored('not addressed to us');
  if (addressesAnother(said.text, botUserId)) return ignored('addressed to somebody else');
  return { kind: 'reply', said: { ...said, threadTs } };
}

interface Redelivery {
  /** Slack sends it again because an earlier answer came too late: what that delivery asked for was done, or is being done. */
  readonly answeredLate: boolean;
}

export async function answerEvent(intake: Intake, body: unknown, again: Redelivery): Promise<void> {
  const reading = readEvent(body);
  switch (reading.kind) {
    case 'ignored':
      return intake.deps.log('slack.ignored', { why: reading.why });
    case 'cross':
      return await cancelByCross(intake, reading);
    case 'mention':
      return await start(intake, reading.said, { event: 'mention', twin: reading.twin, again });
    case 'direct':
      return await start(intake, reading.said, { event: 'message', twin: false, again });
    case 'reply':
      if (await isFollowUp(intake, reading.said))
        return await start(intake, reading.said, { event: 'message', twin: false, again });
      return intake.deps.log('slack.ignored', { why: 'a reply that is no follow-up' });
  }
}

/**
 * In the thread below a task's own message everybody speaks about the task. In a thread that was there before it, people also speak with each
 * other: only who asked for the task goes on with it without a mention.
 */
async function isFollowUp(
  { deps, slack }: Intake,
  said: Said & { readonly threadTs: string },
): Promise<boolean> {
  if (slack.replies !== 'all') return false;
  const task = await deps.index.inThread(said.channelId, said.threadTs);
  if (task === null) return false;
  return task.postedTs === said.threadTs || task.userId === said.userId;
}

interface Heard {
  readonly event: 'mention' | 'message';
  readonly twin: boolean;
  readonly again: Redelivery;
}

async function start(intake: Intake, said: Said, { event, twin, again }: Heard): Promise<void> {
  const { deps, slack } = intake;
  const reading = readMessage(said.text, said.botUserId, (word) => deps.repositoryByAlias(word));
  if (reading.kind === 'problem') {
    if (twin) return deps.log('slack.ignored', { why: 'answered to its mention' });
    // A task is one however often its event comes; these words would be shown once more each time.
    if (again.answeredLate) return deps.log('slack.ignored', { why: 'answered before, too late for Slack' });
    deps.log('slack.not_understood', { event });
    return await tellProblem(intake, said, reading.problem);
  }
  const { asked } = reading;
  const request = await requestOf(
    {
      key: { event: 'message', teamId: slack.team, channelId: said.channelId, ts: said.ts },
      trigger: {
        event,
        teamId: slack.team,
        channelId: said.channelId,
        userId: said.userId,
        threadTs: said.threadTs ?? said.ts,
        messageTs: said.ts,
        triggeredAt: instantOf(said.ts),
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

/**
 * Rejects when the person was not told: Slack then delivers the event again. When Slack only takes long to say so, it most likely
 * shows the words, and a second delivery would show them twice.
 */
async function tellProblem(intake: Intake, said: Said, problem: string): Promise<void> {
  const { userId, channelId, threadTs } = said;
  try {
    const told = intake.tell({ userId, channelId, threadTs, text: renderUntrusted(problem) });
    await withDeadline(told, tellDeadlineMs, 'telling what was not understood');
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    intake.deps.log('slack.unheard', { error: String(error) });
  }
}

/** Of who asked for the task; on what asked for it or on the task's own message. */
async function cancelByCross(intake: Intake, cross: Extract<EventReading, { kind: 'cross' }>): Promise<void> {
  const { deps } = intake;
  const { channelId, ts, userId } = cross;
  const task = await deps.index.byMessage(channelId, ts);
  if (task === null || task.userId !== userId)
    return deps.log('slack.ignored', { why: 'a cross that cancels nothing' });
  const text = await cancelTask(intake, task.taskId, { userId, channelId });
  await intake.tell({ userId, channelId, threadTs: task.threadTs, text });
}
