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
import { inPassing, onlyThank } from '../core/ask/in-passing.ts';
import { afterName, commandIn, copied } from '../core/ask/instruction.ts';
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

/** Whether a message begins with a mention of another user. */
export function addressesAnother(untrustedMrkdwn: string, botUserId: string): boolean {
  const first = /^\s*<@([A-Z0-9]{1,31})(?:\|[^<>\n]{0,200})?>/.exec(untrustedMrkdwn)?.[1];
  return first !== undefined && first !== botUserId;
}

/** Splits a message at the mentions of the user that count. */
function splitAtMentions(untrustedMrkdwn: string, userId: string): readonly string[] {
  const parts: string[] = [];
  let done = 0;
  for (const { 0: found, index } of addressable(untrustedMrkdwn).matchAll(mentionOf(userId))) {
    parts.push(untrustedMrkdwn.slice(done, index));
    done = index + found.length;
  }
  return [...parts, untrustedMrkdwn.slice(done)];
}

/**
 * Reads options and commands after the first mention, or before it if nothing follows. The instruction
 * includes the text before the mention, so `split() is off by one. @codex fix it` keeps its first sentence.
 * `thanks`: the message asks for nothing.
 */
export function readMessage(
  untrustedMrkdwn: string,
  botUserId: string,
  repositoryOf: RepositoryOf,
): WordsReading | { readonly kind: 'thanks' } {
  const problem = textProblem(untrustedMrkdwn);
  if (problem !== null) return { kind: 'problem', problem };
  const [first = '', ...more] = splitAtMentions(untrustedMrkdwn, botUserId);
  const before = plainText(first, keepLabels);
  const after = plainText(more.join(' '), keepLabels);
  const passing = more.length > 0 ? inPassing(before, after) : onlyThank(before) ? 'thanks' : null;
  if (passing === 'thanks') return { kind: 'thanks' };
  if (passing === 'copied') return asked({ ...nothing, ask: copied });
  return asked(readAround(before.trim(), after.trim().replace(afterName, ''), repositoryOf));
}

const nothing = { repository: null, instruction: '', options: {} } as const;

function readAround(before: string, after: string, repositoryOf: RepositoryOf): AskRead {
  if (before === '' && after === '') return { ...nothing, ask: { kind: 'help' } };
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
