/**
 * Reads the thread as it was at the trigger, with references to its files. Leaves out bots, strangers, later
 * messages, messages edited since (which could change somebody else's request), and what exceeds the limit.
 */
import type { WebClient } from '@slack/web-api';
import * as z from 'zod';
import { attachmentLimits, type AttachmentRef } from '../core/attachment.ts';
import type { ChatPerson, ThreadContext } from '../core/chat.ts';
import { slackTsSchema, type SlackTrigger } from '../core/task.ts';
import { mentionedUsers, plainText } from './message-text.ts';
import { isFileId, messageWords, wordFields } from './message-words.ts';
import { plainLine } from './mrkdwn.ts';
import { taskOfMessage } from './task-metadata.ts';
import { slackCall } from './web-api.ts';

/** Limit of messages to include: the root and the latest ones. */
const maxMessages = 200;
/** Limit of all included messages together, in characters. */
const maxChars = 60_000;
/** Limit of pages to read. The rest of a longer thread counts as left out. */
const maxPages = 5;
const pageSize = 200;
/** Limit of users to look up for a thread. */
const maxPeople = 50;
/** Limit of users to look up for mentions in the triggering message. */
const maxMentioned = 10;
const maxConcurrentLookups = 5;
const maxFileNames = 20;
/** More than are handed over, so that those beyond the limit are named. */
const maxFileRefs = 2 * attachmentLimits.files;

/** https://docs.slack.dev/reference/events/message. */
const threadMessageSchema = z.object({
  ts: slackTsSchema,
  user: z.string().optional(),
  bot_id: z.string().optional(),
  app_id: z.string().optional(),
  bot_profile: z.unknown().optional(),
  subtype: z.string().optional(),
  ...wordFields,
  edited: z.object({ ts: slackTsSchema }).optional(),
  metadata: z.unknown().optional(),
  reply_count: z.number().int().nonnegative().optional(),
});
export type ThreadMessage = z.infer<typeof threadMessageSchema>;

/** Subtypes of messages from people: https://docs.slack.dev/reference/events/message#subtypes */
const personSubtypes: ReadonlySet<string> = new Set(['file_share', 'thread_broadcast', 'me_message']);

function isByPerson(message: ThreadMessage): message is ThreadMessage & { user: string } {
  const software = [message.bot_id, message.app_id, message.bot_profile];
  if (message.user === undefined || software.some((mark) => mark !== undefined)) return false;
  return message.subtype === undefined || personSubtypes.has(message.subtype);
}

function afterTrigger(ts: string, triggeredAt: number): boolean {
  return Math.floor(Number(ts) * 1000) > triggeredAt;
}

/** Selects messages before their authors are looked up. Unparsable messages count as left out. */
export function eligibleMessages(
  untrustedMessages: readonly unknown[],
  trigger: Pick<SlackTrigger, 'event' | 'messageTs' | 'triggeredAt'>,
): { readonly messages: readonly (ThreadMessage & { user: string })[]; readonly leftOut: number } {
  const triggeredAt = Date.parse(trigger.triggeredAt);
  const messages: (ThreadMessage & { user: string })[] = [];
  let leftOut = 0;
  for (const untrusted of untrustedMessages) {
    const parsed = threadMessageSchema.safeParse(untrusted);
    if (!parsed.success) leftOut += 1;
    else if (taskOfMessage(parsed.data.metadata) !== null) continue;
    // The triggering message is the instruction, except for a form, whose text can differ from the message.
    else if (parsed.data.ts === trigger.messageTs && trigger.event !== 'form') continue;
    else if (
      isByPerson(parsed.data) &&
      !afterTrigger(parsed.data.ts, triggeredAt) &&
      !afterTrigger(parsed.data.edited?.ts ?? parsed.data.ts, triggeredAt)
    )
      messages.push(parsed.data);
    else leftOut += 1;
  }
  return { messages, leftOut };
}

const isUserId = (id: string): boolean => /^[UW][A-Z0-9]{1,30}$/.test(id);

/** The users to look up: authors of the latest messages first, then mentioned users, up to the limit. */
export function peopleToLookUp(messages: readonly (ThreadMessage & { user: string })[]): readonly string[] {
  const latestFirst = messages.toReversed();
  const ids = [
    ...latestFirst.map(({ user }) => user),
    ...latestFirst.flatMap(({ text }) => mentionedUsers(text ?? '')),
  ];
  return [...new Set(ids)].filter(isUserId).slice(0, maxPeople);
}

const fileNames = ({ files }: ThreadMessage): string[] =>
  (files ?? []).map((file) => plainLine(file.name ?? file.title ?? 'file', 200)).slice(0, maxFileNames);

const fileRefs = ({ files }: ThreadMessage, by: string, own = false): readonly AttachmentRef[] =>
  (files ?? []).flatMap(({ id, name, title }) =>
    isFileId(id)
      ? [{ source: 'slack', fileId: id, name: plainLine(name ?? title ?? 'file', 200), by, own }]
      : [],
  );

/** Finds the triggering message; null if it is not in the thread or the trigger was a form. */
function askingMessage(
  untrustedMessages: readonly unknown[],
  { event, messageTs }: Pick<SlackTrigger, 'event' | 'messageTs'>,
): ThreadMessage | null {
  if (event === 'form' || messageTs === null) return null;
  for (const untrusted of untrustedMessages) {
    const { data } = threadMessageSchema.safeParse(untrusted);
    if (data?.ts === messageTs) return data;
  }
  return null;
}

/** The context of a thread that the bot cannot read. */
export const unreadableThread: ThreadContext = { messages: [], messagesLeftOut: 0, unreadable: true };

/** Builds the context within the limits: the root and as many of the latest messages as fit, oldest first. */
export function threadContextOf(
  eligible: { readonly messages: readonly (ThreadMessage & { user: string })[]; readonly leftOut: number },
  people: ReadonlyMap<string, ChatPerson>,
  asking: ThreadMessage | null = null,
): ThreadContext {
  const names = (id: string): string | null => people.get(id)?.name ?? null;
  const shown = eligible.messages.flatMap((message) => {
    const author = people.get(message.user);
    // Include guests, who were invited to this workspace, but no strangers.
    if (author === undefined || author.kind === 'stranger' || author.kind === 'bot') return [];
    return [
      {
        message: {
          author: author.name,
          createdAt: new Date(Math.floor(Number(message.ts) * 1000)).toISOString(),
          text: plainText(messageWords(message), names).trim(),
          files: fileNames(message),
        },
        refs: fileRefs(message, author.name),
      },
    ];
  });
  const [root, ...replies] = shown;
  const kept: (typeof shown)[number][] = [];
  let room = maxChars - (root === undefined ? 0 : sizeOf(root.message));
  for (const reply of replies.toReversed()) {
    room -= sizeOf(reply.message);
    if (room < 0 || kept.length + 1 >= maxMessages) break;
    kept.unshift(reply);
  }
  const all = root === undefined ? [] : [root, ...kept];
  // The newest first, because the last ones can be beyond the limit.
  const attachments = [
    ...(asking === null ? [] : fileRefs(asking, names(asking.user ?? '') ?? 'the requester', true)),
    ...all.toReversed().flatMap(({ refs }) => refs),
  ].slice(0, maxFileRefs);
  return {
    messages: all.map(({ message }) => message),
    messagesLeftOut: eligible.leftOut + eligible.messages.length - all.length,
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(asking === null ? {} : { asking: askingMessageDetails(asking, names) }),
  };
}

function askingMessageDetails(
  asking: ThreadMessage,
  nameOf: (id: string) => string | null,
): NonNullable<ThreadContext['asking']> {
  const named = mentionedUsers(asking.text ?? '').flatMap((id) => {
    const name = nameOf(id);
    return name === null ? [] : [[id, name] as const];
  });
  return { names: Object.fromEntries(named), files: fileNames(asking) };
}

function sizeOf(message: ThreadContext['messages'][number]): number {
  return (
    message.text.length + message.author.length + message.files.reduce((sum, name) => sum + name.length, 0)
  );
}

/** Reads up to `maxPages` pages. `unread` is the number of replies beyond. Rejects like `slackCall`. */
async function readThread(
  client: WebClient,
  channel: string,
  ts: string,
): Promise<{ readonly messages: readonly unknown[]; readonly unread: number }> {
  const messages: unknown[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await slackCall('conversations.replies', () =>
      client.conversations.replies({
        channel,
        ts,
        limit: pageSize,
        include_all_metadata: true,
        ...(cursor === undefined ? {} : { cursor }),
      }),
    );
    messages.push(...(answer.messages ?? []));
    cursor = answer.response_metadata?.next_cursor;
    if (cursor === undefined || cursor === '') return { messages, unread: 0 };
  }
  const replies = threadMessageSchema.safeParse(messages[0]).data?.reply_count ?? 0;
  return { messages, unread: Math.max(1, replies + 1 - messages.length) };
}

/** `lookUp` returns null for an unknown user. Rejects like `slackCall`. */
export async function readThreadContext(
  client: WebClient,
  trigger: SlackTrigger & { threadTs: string },
  lookUp: (userId: string) => Promise<ChatPerson | null>,
): Promise<ThreadContext> {
  const { messages, unread } = await readThread(client, trigger.channelId, trigger.threadTs);
  const eligible = eligibleMessages(messages, trigger);
  const asking = askingMessage(messages, trigger);
  const mentioned =
    asking === null
      ? []
      : mentionedUsers(asking.text ?? '')
          .filter(isUserId)
          .slice(0, maxMentioned);
  const waiting = [...new Set([...mentioned, ...peopleToLookUp(eligible.messages)])];
  const people = new Map<string, ChatPerson>();
  const lane = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const person = await lookUp(id);
      if (person !== null) people.set(id, person);
    }
  };
  await Promise.all(Array.from({ length: maxConcurrentLookups }, lane));
  return threadContextOf({ messages: eligible.messages, leftOut: eligible.leftOut + unread }, people, asking);
}
