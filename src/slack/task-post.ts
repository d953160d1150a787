/**
 * Posts a task's post in Slack and edits it. `task-message.ts` builds its content.
 *
 * Slack has no idempotent post. So the message carries the task id as metadata, and before a first post this
 * file searches the latest messages for it, in case an earlier post succeeded and only its answer was lost.
 * If search and post together were slow, a concurrent attempt may have posted too: this file then searches
 * again, keeps the older message and deletes its own.
 *
 * Remaining duplicates: Slack performs a post after a later attempt has searched; the bot can write but not
 * read the channel; an ephemeral message, which cannot be searched, loses its answer.
 */
import type { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { ChatMessageRef } from '../core/chat.ts';
import type { TaskView } from '../core/task-view.ts';
import { slackTsSchema, type SlackTrigger } from '../core/task.ts';
import { context, section } from './blocks.ts';
import type { TaskMessage } from './task-message.ts';
import { taskMetadata, taskOfMessage } from './task-metadata.ts';
import { refusalOf, slackCall, SlackRefusal, SlackUnavailable } from './web-api.ts';

/** The channel, or thread in it, that a message is posted to. */
interface Destination {
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

/** Time after which a caller may have started a concurrent attempt, in ms. */
const raceWindowMs = 5000;
/** How long the end is retried in the channel while Slack fails; then the requester gets it directly. ms */
const elsewhereMs = 10 * 60_000;
/** Pages of 200 messages to search, newest first, back to the acceptance of the task. */
const maxPages = 3;
/** Allowance for clock skew between Slack and Airlock, in seconds. */
const clockSkewSeconds = 60;

/** The kind of the outcome that the message shows; null while the task runs. */
const endOf = ({ view }: Posting): string | null => view.outcome?.kind ?? null;

function contentOf(posting: Posting) {
  return {
    text: posting.message.text,
    blocks: posting.message.blocks,
    metadata: taskMetadata(posting.view.taskId, endOf(posting)),
    // No link previews, and no linking of channel or user names in the text.
    unfurl_links: false,
    unfurl_media: false,
    parse: 'none' as const,
    link_names: false,
  };
}

/** Makes the call. If Slack refuses the content, repeats it with one line and the buttons, then the line. */
async function withBriefFallback<Result>(
  posting: Posting,
  call: (content: ReturnType<typeof contentOf>) => Promise<Result>,
) {
  const content = contentOf(posting);
  const { brief: text } = posting.message;
  const buttons = content.blocks.filter(({ type }) => type === 'actions');
  let refused: unknown;
  for (const less of [{}, { text, blocks: [section(text), ...buttons] }, { text, blocks: [] }]) {
    try {
      return await call({ ...content, ...less });
    } catch (error) {
      refused = error;
      const refusal = refusalOf(error, 'content');
      if (refusal === null) throw error;
      posting.log('slack.content_refused', { taskId: posting.view.taskId, code: refusal.code });
    }
  }
  throw refused;
}

/** Edits the message. Returns false if it is gone or cannot be edited. */
async function edit(posting: Posting, at: ChatMessageRef): Promise<boolean> {
  try {
    await withBriefFallback(posting, (content) => {
      const { unfurl_links: _links, unfurl_media: _media, ...rest } = content;
      return slackCall('chat.update', () =>
        posting.client.chat.update({ ...rest, channel: at.channelId, ts: at.ts }),
      );
    });
    return true;
  } catch (error) {
    if (refusalOf(error, 'uneditable') !== null) return false;
    throw error;
  }
}

const foundSchema = z.object({ ts: slackTsSchema, metadata: z.unknown().optional() });

interface FoundMessage extends ChatMessageRef {
  /** The end that it shows, as in its metadata. */
  readonly end: string | null;
}

/** Finds the messages with this task's metadata, oldest first. Empty if the bot cannot read the channel. */
async function findTaskMessages(
  { client, view }: Posting,
  destination: Destination,
): Promise<readonly FoundMessage[]> {
  const oldest = String(Math.floor(Date.parse(view.acceptedAt) / 1000) - clockSkewSeconds);
  const found: FoundMessage[] = [];
  let cursor: string | undefined;
  try {
    for (let page = 0; page < maxPages; page += 1) {
      const range = {
        channel: destination.channelId,
        oldest,
        limit: 200,
        include_all_metadata: true,
        ...(cursor === undefined ? {} : { cursor }),
      };
      const { threadTs } = destination;
      const answer =
        threadTs === null
          ? await slackCall('conversations.history', () => client.conversations.history(range))
          : await slackCall('conversations.replies', () =>
              client.conversations.replies({ ...range, ts: threadTs }),
            );
      for (const untrusted of answer.messages ?? []) {
        const parsed = foundSchema.safeParse(untrusted);
        const task = taskOfMessage(parsed.data?.metadata);
        if (parsed.success && task?.task_id === view.taskId)
          found.push({ channelId: destination.channelId, ts: parsed.data.ts, end: task.end ?? null });
      }
      cursor = answer.response_metadata?.next_cursor;
      if (cursor === undefined || cursor === '') break;
    }
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
  }
  return found.toSorted((one, other) => Number(one.ts) - Number(other.ts));
}

const postedSchema = z.object({ channel: z.string(), ts: slackTsSchema });

async function post(posting: Posting, destination: Destination): Promise<ChatMessageRef> {
  const startedAt = posting.now();
  const end = endOf(posting);
  for (const { end: shown, ...earlier } of await findTaskMessages(posting, destination)) {
    // Another app can forge the metadata, but the bot cannot edit that app's message.
    if (await edit(posting, earlier)) return earlier;
    // A message that cannot be edited but shows this end needs no replacement.
    if (end !== null && shown === end) return earlier;
  }
  const thread = destination.threadTs === null ? {} : { thread_ts: destination.threadTs };
  const answer = await withBriefFallback(posting, (content) => {
    const asked = { ...content, ...thread, channel: destination.channelId };
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- Slack's method, not a window's
    return slackCall('chat.postMessage', () => posting.client.chat.postMessage(asked));
  });
  const { channel, ts } = postedSchema.parse(answer);
  const ours = { channelId: channel, ts };
  return posting.now() - startedAt < raceWindowMs ? ours : await removeDuplicate(posting, destination, ours);
}

/** Deletes this attempt's message if an older one exists. Returns the one to keep; never rejects. */
async function removeDuplicate(
  posting: Posting,
  destination: Destination,
  ours: ChatMessageRef,
): Promise<ChatMessageRef> {
  try {
    for (const { end: _, ...other } of await findTaskMessages(posting, destination)) {
      if (Number(other.ts) >= Number(ours.ts)) break;
      if (!(await edit(posting, other))) continue;
      await slackCall('chat.delete', () =>
        posting.client.chat.delete({ channel: ours.channelId, ts: ours.ts }),
      );
      return other;
    }
  } catch (error) {
    posting.log('slack.duplicate_kept', { taskId: posting.view.taskId, error: String(error) });
  }
  return ours;
}

const openedSchema = z.object({ id: z.string() });

/**
 * Returns why the requester gets the message directly: the channel refuses it for good, or Slack has failed
 * for `elsewhereMs` since the task's end. null: the post is retried in the channel.
 */
function closedBy(posting: Posting, error: unknown): string | null {
  const refusal = refusalOf(error, 'closed', 'refused');
  if (refusal !== null) return refusal.code;
  const { endedAt } = posting.view;
  const lasts = endedAt !== null && posting.now() - Date.parse(endedAt) > elsewhereMs;
  return lasts && error instanceof SlackUnavailable ? error.meaning.reason.code : null;
}

/** Posts to the requester as a direct message, with a line that explains why. */
async function postDirectMessage(posting: Posting, code: string): Promise<ChatMessageRef | null> {
  const { client, trigger, log, view } = posting;
  log('slack.channel_closed', { taskId: view.taskId, channel: trigger.channelId, code });
  // Only a public channel can be linked.
  const channel = trigger.channelId.startsWith('C') ? ` in <#${trigger.channelId}>,` : '';
  const explanation = `I could not answer${channel} where you asked.`;
  const message = { ...posting.message, blocks: [context(explanation), ...posting.message.blocks] };
  const opened = await slackCall('conversations.open', () =>
    client.conversations.open({ users: trigger.userId }),
  );
  const channelId = openedSchema.parse(opened.channel).id;
  return await post({ ...posting, message }, { channelId, threadTs: null });
}

/** Logs a final refusal and returns null. Rejects on transient errors. */
async function nullIfRefused<Result>(posting: Posting, work: Promise<Result | null>): Promise<Result | null> {
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

/** Posts or edits the post. See `saveTaskMessage` in `core/ports/chat-port.ts` for the result. */
export async function savePost(
  posting: Posting,
  known: ChatMessageRef | null,
): Promise<ChatMessageRef | null> {
  const { trigger } = posting;
  const destination = { channelId: trigger.channelId, threadTs: trigger.threadTs };
  const work = async (): Promise<ChatMessageRef | null> => {
    try {
      if (known === null) return await post(posting, destination);
      // A message that is gone or cannot be edited is replaced once, by the end, in the same channel. Each
      // replacement before would be one more message.
      if ((await edit(posting, known)) || endOf(posting) === null) return known;
      return await post(
        posting,
        known.channelId === destination.channelId
          ? destination
          : { channelId: known.channelId, threadTs: null },
      );
    } catch (error) {
      const code = closedBy(posting, error);
      if (code === null) throw error;
      return await postDirectMessage(posting, code);
    }
  };
  return (await nullIfRefused(posting, work())) ?? known;
}

/**
 * Posts for the requester alone: an ephemeral message, or a direct one if the channel refuses it. Returns
 * null, because neither is edited later. A message that an earlier attempt posted for all is edited instead.
 */
export async function notifyRequester(posting: Posting): Promise<ChatMessageRef | null> {
  const { client, trigger } = posting;
  const work = async (): Promise<ChatMessageRef | null> => {
    for (const { end: _, ...earlier } of await findTaskMessages(posting, {
      channelId: trigger.channelId,
      threadTs: trigger.threadTs,
    })) {
      if (await edit(posting, earlier)) return earlier;
    }
    try {
      await withBriefFallback(posting, ({ text, blocks, parse, link_names: linkNames }) =>
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
      const code = error instanceof SlackRefusal ? error.code : closedBy(posting, error);
      if (code === null) throw error;
      await postDirectMessage(posting, code);
    }
    return null;
  };
  return await nullIfRefused(posting, work());
}
