/**
 * What was said or sent in Slack → the request that starts a task, or why it starts none. Pure but for digests. Whether the person may is decided
 * later, by the Workflow; ids come from the signed payload alone.
 */
import { readAsk, type AskRead } from '../core/ask/ask-words.ts';
import { shortIdOf, slackTaskId, type SlackTaskKey } from '../core/ids.ts';
import {
  taskRequestSchema,
  type RepositoryRef,
  type SlackTrigger,
  type TaskOptions,
  type TaskRequest,
} from '../core/task.ts';
import { plainText } from './message-text.ts';

/** Characters; the bound in the task's schema. */
const maxInstructionChars = taskRequestSchema.shape.instruction.maxLength ?? 20_000;

/**
 * Control characters and those that turn the direction of what follows: with them a text reads otherwise than it is. Taking them out in
 * silence would run words that nobody has read in this order. Marks that emoji and right-to-left scripts need are not among them; they are
 * removed where the text is read.
 */
const misleading = /(?![\t\n\r])\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u;

/** Why a text cannot be an instruction; null when it can. Plain text and mrkdwn. */
export function textProblem(untrustedText: string): string | null {
  const found = misleading.exec(untrustedText)?.[0];
  if (found !== undefined) {
    const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return `There is a character in it that nobody can see and that changes how the text reads (U+${code}). Type it again without, rather than pasting it.`;
  }
  if (untrustedText.length > maxInstructionChars) {
    const [length, most] = [untrustedText.length, maxInstructionChars].map((n) => n.toLocaleString('en'));
    return `That is ${length} characters long, and I take at most ${most}. Put the long part into the repository or an issue and name it.`;
  }
  return null;
}

/** Nobody is looked up before the acknowledgement: a person stays as Slack labels them, or an id. */
const unnamed = (): null => null;

export type WordsReading =
  | { readonly kind: 'asked'; readonly asked: AskRead }
  /** `problem` is ours, for the person alone. */
  | { readonly kind: 'problem'; readonly problem: string };

type RepositoryOf = (word: string) => RepositoryRef | null;

function asked(read: AskRead): WordsReading {
  return read.ask.kind === 'invalid'
    ? { kind: 'problem', problem: read.ask.message }
    : { kind: 'asked', asked: read };
}

/** Words without a mention: of a command, or of a direct message. */
export function readWords(untrustedMrkdwn: string, repositoryOf: RepositoryOf): WordsReading {
  const problem = textProblem(untrustedMrkdwn);
  if (problem !== null) return { kind: 'problem', problem };
  return asked(readAsk(plainText(untrustedMrkdwn, unnamed), repositoryOf));
}

/** `<@U1>` and `<@U1|label>`. */
const mentionOf = (userId: string): RegExp =>
  new RegExp(`<@${userId.replace(/[^A-Z0-9]/g, '')}(?:\\|[^<>\\n]{0,200})?>`, 'g');

export function mentions(untrustedMrkdwn: string, userId: string): boolean {
  return mentionOf(userId).test(untrustedMrkdwn);
}

/** Begins by speaking to somebody else. */
export function addressesAnother(untrustedMrkdwn: string, botUserId: string): boolean {
  const first = /^\s*<@([A-Z0-9]{1,31})(?:\|[^<>\n]{0,200})?>/.exec(untrustedMrkdwn)?.[1];
  return first !== undefined && first !== botUserId;
}

/**
 * A message that may mention the bot. Options, repository and commands stand after the first mention, or, when nothing does, before it: the
 * instruction is all of the words, so that `split() is off by one. @codex fix it` does not lose its first sentence. Nothing but the
 * mention asks for help.
 */
export function readMessage(
  untrustedMrkdwn: string,
  botUserId: string,
  repositoryOf: RepositoryOf,
): WordsReading {
  const problem = textProblem(untrustedMrkdwn);
  if (problem !== null) return { kind: 'problem', problem };
  const [first = '', ...more] = untrustedMrkdwn.split(mentionOf(botUserId));
  const before = plainText(first, unnamed).trim();
  // `@codex, fix it` and `@codex: fix it` are how people write to somebody.
  const after = plainText(more.join(' '), unnamed)
    .trim()
    .replace(/^[,:]\s*/, '');
  if (before === '' && after === '') {
    return asked({ ask: { kind: 'help' }, repository: null, instruction: '', options: {} });
  }
  if (before === '' || after === '') return asked(readAsk(before + after, repositoryOf));
  const read = readAsk(after, repositoryOf);
  if (read.ask.kind === 'invalid') return asked(read);
  // A command is one only as the sole word.
  const rest = read.ask.kind === 'run' ? read.instruction : after;
  return asked({ ...read, ask: { kind: 'run' }, instruction: `${before}\n${rest}`.trim() });
}

/** Slack's `ts` is seconds since the epoch. To the next millisecond, so that the message itself is not after the instant. */
export function instantOf(ts: string): string {
  return new Date(Math.ceil(Number(ts) * 1000)).toISOString();
}

export interface Asked {
  readonly key: SlackTaskKey;
  readonly trigger: Omit<SlackTrigger, 'kind'>;
  readonly ask: TaskRequest['ask'];
  readonly repository: RepositoryRef | null;
  readonly instruction: string;
  readonly options: TaskOptions;
}

/** Throws when it breaks the schema of a request: nothing is made durable that could not be read again. */
export async function requestOf(from: Asked, now: Date): Promise<TaskRequest> {
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
