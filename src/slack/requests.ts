/** Parses messages, and builds the request that starts a task, whose id derives from the payload only. */
import { readAsk, type AskRead } from '../core/ask/ask-words.ts';
import { shortIdOf, slackTaskId, type SlackTaskKey } from '../core/ids.ts';
import {
  taskRequestSchema,
  type RepositoryRef,
  type SlackTrigger,
  type TaskOptions,
  type TaskRequest,
} from '../core/task.ts';
import { afterName, commandIn, copied, nothingAsked } from '../core/ask/instruction.ts';
import { onlyCourtesy } from '../core/ask/only-courtesy.ts';
import { replyAsks } from '../core/ask/reply-asks.ts';
import { inPassing, isEmpty, type NotAsked } from '../core/ask/starts-nothing.ts';
import { plainText } from './message-text.ts';
import { addressable } from './message-words.ts';

/** Characters of an instruction from Slack. A longer one is refused. */
const maxInstructionChars = 20_000;

/** Refused: without them the text would run in an order that nobody has read. */
const misleadingCharacters = /(?![\t\n\r])\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u;

/** The reason why a text cannot be an instruction, or null. Accepts plain text and mrkdwn. */
export function textProblem(untrustedText: string): string | null {
  const found = misleadingCharacters.exec(untrustedText)?.[0];
  if (found !== undefined) {
    const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return (
      `The text contains an invisible character that changes how it reads (U+${code}), so nothing was ` +
      'started. Type the text instead of pasting it.'
    );
  }
  if (untrustedText.length > maxInstructionChars) {
    const [length, most] = [untrustedText.length, maxInstructionChars].map((n) => n.toLocaleString('en'));
    return (
      `The text is ${length} characters long, but the limit is ${most}, so nothing was started. Put the ` +
      'long part into the repository or an issue and refer to it.'
    );
  }
  return null;
}

/** Keeps Slack's labels or ids, because looking up names would delay the acknowledgement. */
const keepLabels = (): null => null;

export type WordsReading =
  | { readonly kind: 'asked'; readonly asked: AskRead }
  /** `problem` is a message for the user. */
  | { readonly kind: 'problem'; readonly problem: string };

type RepositoryOf = (word: string) => RepositoryRef | null;

function asked(read: AskRead): WordsReading {
  return read.ask.kind === 'invalid'
    ? { kind: 'problem', problem: read.ask.message }
    : { kind: 'asked', asked: read };
}

/** Parses a text without a mention, such as that of a command. */
export function readWords(untrustedMrkdwn: string, repositoryOf: RepositoryOf): WordsReading {
  const problem = textProblem(untrustedMrkdwn);
  if (problem !== null) return { kind: 'problem', problem };
  return asked(readAsk(plainText(untrustedMrkdwn, keepLabels), repositoryOf));
}

/** Matches `<@U1>` and `<@U1|label>`. */
const mentionOf = (userId: string): RegExp =>
  new RegExp(`<@${userId.replace(/[^A-Z0-9]/g, '')}(?:\\|[^<>\\n]{0,200})?>`, 'g');

/** Whether a message mentions the user outside quotations and code. */
export function mentions(untrustedMrkdwn: string, userId: string): boolean {
  return mentionOf(userId).test(addressable(untrustedMrkdwn));
}

/** Whether a reply in a task's thread that does not mention the bot asks it for something. */
export function asksInReply(untrustedMrkdwn: string): boolean {
  return replyAsks(plainText(addressable(untrustedMrkdwn), keepLabels));
}

/** A part of a message between two mentions of the bot, as plain text. */
interface Part {
  readonly written: string;
  /** Without quotations and code, which ask for nothing. */
  readonly said: string;
}

/** Splits a message at the mentions of the user that count. */
function splitAtMentions(untrustedMrkdwn: string, userId: string): readonly Part[] {
  const visible = addressable(untrustedMrkdwn);
  const parts: Part[] = [];
  let done = 0;
  const add = (end?: number): void => {
    const [written = '', said = ''] = [untrustedMrkdwn, visible].map((text) =>
      plainText(text.slice(done, end), keepLabels),
    );
    parts.push({ written, said });
  };
  for (const { 0: found, index } of visible.matchAll(mentionOf(userId))) {
    add(index);
    done = index + found.length;
  }
  add();
  return parts;
}

/** Mentions that are looked at. */
const maxMentions = 50;

interface Addressed {
  readonly before: string;
  readonly after: string;
  readonly passing: NotAsked | null;
}

/** The first mention that asks for something, or else the first one. Without a mention all words count. */
function findAddressed(parts: readonly Part[]): Addressed {
  const join = (of: keyof Part, from: number, to?: number): string =>
    parts
      .slice(from, to)
      .map((part) => part[of])
      .join(' ');
  const all = join('written', 0);
  if (parts.length === 1)
    return { before: all, after: '', passing: onlyCourtesy(all) ? 'silent' : isEmpty(all) ? 'empty' : null };
  let first: Addressed | null = null;
  for (let at = 1; at < Math.min(parts.length, maxMentions); at += 1) {
    const passing = inPassing(join('said', 0, at), join('said', at));
    // A forwarded message or a log next to the mention is what it asks about.
    const isAsked = passing === null || (passing === 'empty' && !isEmpty(all));
    const found = { before: join('written', 0, at), after: join('written', at), passing };
    if (isAsked) return { ...found, passing: null };
    first ??= found;
  }
  return first ?? { before: all, after: '', passing: null };
}

/**
 * Reads options and commands after the mention that asks, or before it if nothing follows. The instruction
 * includes the text before the mention, so `split() is off by one. @codex fix it` keeps its first sentence.
 * `nothing`: the message asks for nothing.
 */
export function readMessage(
  untrustedMrkdwn: string,
  botUserId: string,
  repositoryOf: RepositoryOf,
): WordsReading | { readonly kind: 'nothing' } {
  const problem = textProblem(untrustedMrkdwn);
  if (problem !== null) return { kind: 'problem', problem };
  const { before, after, passing } = findAddressed(splitAtMentions(untrustedMrkdwn, botUserId));
  if (passing === 'silent') return { kind: 'nothing' };
  if (passing !== null) return asked({ ...nothing, ask: passing === 'empty' ? nothingAsked : copied });
  return asked(readAround(before.trim(), after.trim().replace(afterName, ''), repositoryOf));
}

const nothing = { repository: null, instruction: '', options: {} } as const;

function readAround(before: string, after: string, repositoryOf: RepositoryOf): AskRead {
  if (before === '' || after === '') return readAsk(before + after, repositoryOf);
  const command = commandIn(`${before} ${after}`);
  if (command !== null) return { ...nothing, ask: command };
  const read = readAsk(after, repositoryOf);
  if (read.ask.kind === 'invalid') return read;
  // Text before the mention makes the message a task, even if a command word follows the mention.
  const rest = read.ask.kind === 'run' ? read.instruction : after;
  const ask: TaskRequest['ask'] = read.ask.kind === 'run' ? read.ask : { kind: 'run' };
  return { ...read, ask, instruction: `${before}\n${rest}`.trim() };
}

/** Slack's `ts` as ISO 8601, rounded up so that the message is not after the instant. */
export function isoTimeOf(ts: string): string {
  return new Date(Math.ceil(Number(ts) * 1000)).toISOString();
}

export interface RequestParts {
  readonly key: SlackTaskKey;
  readonly trigger: Omit<SlackTrigger, 'kind'>;
  readonly ask: TaskRequest['ask'];
  readonly repository: RepositoryRef | null;
  readonly instruction: string;
  readonly options: TaskOptions;
}

/** Builds a task request. Throws if it violates the schema, so that only readable requests become durable. */
export async function requestOf(from: RequestParts, now: Date): Promise<TaskRequest> {
  const taskId = await slackTaskId(from.key);
  return taskRequestSchema.parse({
    taskId,
    shortId: await shortIdOf(taskId),
    acceptedAt: now.toISOString(),
    repository: from.repository,
    trigger: { kind: 'slack', ...from.trigger },
    requester: null,
    ask: from.ask,
    instruction: from.instruction,
    options: from.options,
  });
}
