/**
 * Puts a task's one message where it belongs and keeps it up to date. What it says is `task-message.ts`'s.
 *
 * Slack has no way to post once only. The message carries its task's id as metadata; whoever has no message yet looks among
 * the latest messages of the place before posting, because the answer to an earlier post may be what got lost. When looking and
 * posting took long, somebody may have posted beside us: then we look again, the older message stays, and ours is deleted.
 *
 * What remains: a post that Slack carries out only after a later attempt has posted and looked leaves two messages, of
 * which one is never edited again. The same where the bot may write but not read. Ephemeral messages cannot be looked up: a
 * lost answer can show one twice, to one person.
 */
import type { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { ChatMessageRef } from '../core/chat.ts';
import type { TaskView } from '../core/task-view.ts';
import { slackTsSchema, type SlackTrigger } from '../core/task.ts';
import { context } from './blocks.ts';
import type { TaskMessage } from './task-message.ts';
import { ourMessage, taskMetadata } from './task-metadata.ts';
import { isClosedPlace, isLostMessage, slackCall, SlackRefusal } from './web-api.ts';

/** Where a message goes: a channel, or a thread in it. */
interface Place {
  readonly channelId: string;
  readonly threadTs: string | null;
}

export interface Posting {
  readonly client: WebClient;
  readonly trigger: SlackTrigger;
  readonly view: TaskView;
  readonly message: TaskMessage;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** Milliseconds after which another attempt may stand beside this one: no caller waits that long without trying again. */
const slowMs = 5000;
/** Messages that were written since the task was accepted are looked through, newest first, this many pages of 200. */
const maxPages = 3;
/** A minute of margin for clocks that differ. */
const marginSeconds = 60;

/** What Slack answers to blocks that it does not take. Ours are within its limits as published; text alone always goes. */
const blocksRefused = /^(?:invalid_blocks|invalid_blocks_format|msg_blocks_too_long|block_mismatch)$/;

function common({ view, message }: Posting) {
  return {
    text: message.text,
    blocks: message.blocks,
    metadata: taskMetadata(view.taskId),
    // The message is one message: no previews of what it links to, no channel or name found in its words.
    unfurl_links: false,
    unfurl_media: false,
    parse: 'none' as const,
    link_names: false,
  };
}

/** The same once more without blocks when it is these that Slack refuses: an end that looks plain is better than none. */
async function orPlain<Result>(
  posting: Posting,
  call: (content: ReturnType<typeof common>) => Promise<Result>,
) {
  const content = common(posting);
  try {
    return await call(content);
  } catch (error) {
    if (!(error instanceof SlackRefusal) || !blocksRefused.test(error.code)) throw error;
    posting.log('slack.blocks_refused', { taskId: posting.view.taskId, code: error.code });
    return await call({ ...content, blocks: [] });
  }
}

/** False when the message is gone or not ours to edit. */
async function edit(posting: Posting, at: ChatMessageRef): Promise<boolean> {
  try {
    await orPlain(posting, (content) => {
      const { unfurl_links: _links, unfurl_media: _media, ...rest } = content;
      return slackCall('chat.update', () =>
        posting.client.chat.update({ ...rest, channel: at.channelId, ts: at.ts }),
      );
    });
    return true;
  } catch (error) {
    if (isLostMessage(error)) return false;
    throw error;
  }
}

const foundSchema = z.object({ ts: slackTsSchema, metadata: z.unknown().optional() });

/** Messages that say they show this task, oldest first. [] where the bot may not read. */
async function find({ client, view }: Posting, place: Place): Promise<readonly ChatMessageRef[]> {
  const oldest = String(Math.floor(Date.parse(view.acceptedAt) / 1000) - marginSeconds);
  const found: string[] = [];
  let cursor: string | undefined;
  try {
    for (let page = 0; page < maxPages; page += 1) {
      const range = {
        channel: place.channelId,
        oldest,
        limit: 200,
        include_all_metadata: true,
        ...(cursor === undefined ? {} : { cursor }),
      };
      const { threadTs } = place;
      const answer =
        threadTs === null
          ? await slackCall('conversations.history', () => client.conversations.history(range))
          : await slackCall('conversations.replies', () =>
              client.conversations.replies({ ...range, ts: threadTs }),
            );
      for (const untrusted of answer.messages ?? []) {
        const parsed = foundSchema.safeParse(untrusted);
        if (parsed.success && ourMessage(parsed.data.metadata) === view.taskId) found.push(parsed.data.ts);
      }
      cursor = answer.response_metadata?.next_cursor;
      if (cursor === undefined || cursor === '') break;
    }
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
  }
  return found
    .toSorted((one, other) => Number(one) - Number(other))
    .map((ts) => ({ channelId: place.channelId, ts }));
}

const postedSchema = z.object({ channel: z.string(), ts: slackTsSchema });

async function post(posting: Posting, place: Place): Promise<ChatMessageRef> {
  const startedAt = posting.now();
  for (const earlier of await find(posting, place)) {
    // Another app can write our metadata, but Slack lets nobody edit its message: then it was none of ours.
    if (await edit(posting, earlier)) return earlier;
  }
  const thread = place.threadTs === null ? {} : { thread_ts: place.threadTs };
  const answer = await orPlain(posting, (content) => {
    const asked = { ...content, ...thread, channel: place.channelId };
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- Slack's method, not a window's
    return slackCall('chat.postMessage', () => posting.client.chat.postMessage(asked));
  });
  const { channel, ts } = postedSchema.parse(answer);
  const ours = { channelId: channel, ts };
  return posting.now() - startedAt < slowMs ? ours : await settle(posting, place, ours);
}

/** Best effort: the message stands, whatever comes of this. */
async function settle(posting: Posting, place: Place, ours: ChatMessageRef): Promise<ChatMessageRef> {
  try {
    for (const other of await find(posting, place)) {
      if (Number(other.ts) >= Number(ours.ts)) break;
      if (!(await edit(posting, other))) continue;
      await slackCall('chat.delete', () =>
        posting.client.chat.delete({ channel: ours.channelId, ts: ours.ts }),
      );
      return other;
    }
  } catch (error) {
    posting.log('slack.settle_failed', { taskId: posting.view.taskId, error: String(error) });
  }
  return ours;
}

const openedSchema = z.object({ id: z.string() });

/** To the requester alone, with a line that says why here. null when that place takes nothing either. */
async function postDirectly(posting: Posting, why: SlackRefusal): Promise<ChatMessageRef | null> {
  const { client, trigger, log, view } = posting;
  log('slack.place_closed', { taskId: view.taskId, channel: trigger.channelId, code: why.code });
  // Only a channel has a name that can be shown.
  const place = trigger.channelId.startsWith('C') ? ` in <#${trigger.channelId}>,` : '';
  const asked = `I could not answer${place} where you asked.`;
  const message = { text: posting.message.text, blocks: [context(asked), ...posting.message.blocks] };
  const opened = await slackCall('conversations.open', () =>
    client.conversations.open({ users: trigger.userId }),
  );
  const channelId = openedSchema.parse(opened.channel).id;
  return await post({ ...posting, message }, { channelId, threadTs: null });
}

/** A refusal that no other place mends is logged, and null; what may pass rejects. */
async function unlessRefused<Result>(posting: Posting, work: Promise<Result | null>): Promise<Result | null> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    posting.log('slack.message_refused', {
      taskId: posting.view.taskId,
      method: error.method,
      code: error.code,
    });
    return null;
  }
}

/** Posts or edits; the port's `saveTaskMessage` says what comes back. */
export async function savePosting(
  posting: Posting,
  known: ChatMessageRef | null,
): Promise<ChatMessageRef | null> {
  const { trigger } = posting;
  const place = { channelId: trigger.channelId, threadTs: trigger.threadTs };
  const work = async (): Promise<ChatMessageRef | null> => {
    try {
      if (known === null) return await post(posting, place);
      if (await edit(posting, known)) return known;
      // Somebody has deleted it: where it stood, a new one takes its place.
      return await post(
        posting,
        known.channelId === place.channelId ? place : { channelId: known.channelId, threadTs: null },
      );
    } catch (error) {
      if (!(error instanceof SlackRefusal) || !isClosedPlace(error)) throw error;
      return await postDirectly(posting, error);
    }
  };
  return (await unlessRefused(posting, work())) ?? known;
}

/**
 * Tells the requester alone, where they asked or else directly: null, because nothing stands that could be edited. Unless a message
 * does stand after all, of an attempt whose answer was lost: then that one says it.
 */
export async function tellRequester(posting: Posting): Promise<ChatMessageRef | null> {
  const { client, trigger } = posting;
  const work = async (): Promise<ChatMessageRef | null> => {
    for (const earlier of await find(posting, { channelId: trigger.channelId, threadTs: trigger.threadTs })) {
      if (await edit(posting, earlier)) return earlier;
    }
    try {
      await orPlain(posting, ({ text, blocks, parse, link_names: linkNames }) =>
        slackCall('chat.postEphemeral', () =>
          client.chat.postEphemeral({
            text,
            blocks,
            parse,
            link_names: linkNames,
            channel: trigger.channelId,
            user: trigger.userId,
            ...(trigger.threadTs === null ? {} : { thread_ts: trigger.threadTs }),
          }),
        ),
      );
    } catch (error) {
      if (!(error instanceof SlackRefusal)) throw error;
      await postDirectly(posting, error);
    }
    return null;
  };
  return await unlessRefused(posting, work());
}
