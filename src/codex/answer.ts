/** Parses Codex's final message into a capped answer. Still untrusted: `publish/` escapes it. */
import * as z from 'zod';
import type { Answer, LineReply, Progress } from '../core/progress.ts';
import { firstOf } from '../core/ask/untrusted-text.ts';
import { parseJson } from '../lib/parse-json.ts';

/** Most views of a commit cut longer subjects. */
export const maxTitleCharacters = 72;
export const maxSummaryCharacters = 10_000;
const maxReplies = 100;
export const maxPullRequestTextCharacters = 12_000;
export const maxReplyCharacters = 1000;

/**
 * Strict structured outputs require every field; lengths are in words: `maxLength` is not always accepted.
 */
export const answerJsonSchema = {
  type: 'object',
  properties: {
    title: {
      type: 'string',
      description: `Title of the pull request: one line of plain text, at most ${maxTitleCharacters} characters, in the mood and form that the prompt asks for.`,
    },
    // Before the summary, so that a cut of a long answer leaves them.
    replies: {
      type: ['array', 'null'],
      description:
        'For each line comment of the conversation that has an id, one sentence that says what was done about it, or why nothing was. null if the conversation has none.',
      items: {
        type: 'object',
        properties: { id: { type: 'integer' }, text: { type: 'string' } },
        required: ['id', 'text'],
        additionalProperties: false,
      },
    },
    summary: {
      type: 'string',
      description:
        'What was changed and why, and how it was verified, in GitHub-flavored Markdown. If nothing was changed: why.',
    },
    pullRequestText: {
      type: ['string', 'null'],
      description:
        "The repository's pull request template, filled in. null if the prompt has no template, or if nothing was changed.",
    },
  },
  required: ['title', 'replies', 'summary', 'pullRequestText'],
  additionalProperties: false,
} as const;

/** The form of the answer to a question. */
export const replyJsonSchema = {
  type: 'object',
  properties: {
    answer: {
      type: 'string',
      description: 'The answer, in paragraphs, lists and code. It says what was seen and what is a guess.',
    },
  },
  required: ['answer'],
  additionalProperties: false,
} as const;

const field = z.string().trim().min(1).catch('');
const lineReplySchema = z.object({ id: z.number().int().positive(), text: z.string() });
/** A malformed reply is left out; it must not cost the others, or the summary. */
const repliesSchema = z
  .array(lineReplySchema.nullable().catch(null))
  .catch([])
  .transform((replies) => replies.filter((reply) => reply !== null));
const answerSchema = z.object({
  title: field,
  summary: field,
  replies: repliesSchema,
  pullRequestText: z.string().nullable().catch(null),
});

const fallbackTitle = 'Changes by Codex';
const fallbackSummary = 'Codex left no summary of its work.';

/** Returns one line without Markdown markup. Names stay as written: `__init__`, `@types/node`, `src/*.ts`. */
function titleOf(untrusted: string): string {
  const line =
    firstOf(untrusted, 1_000)
      .split('\n')
      .find((candidate) => candidate.trim() !== '' && !/^\s*```/.test(candidate)) ?? '';
  const plain = line
    .replace(/!?\[([^\]]*)\]\((?:https?:|[/#.])[^)\s]*\)/g, '$1')
    .replace(/(?<![\w*`])(\*\*|`{1,2})(?=[\w@"'(.~/-])([^*`]*)(?<=\S)\1(?![\w*`])/g, '$2')
    .replace(/^(?:\s|[#>*+-]{1,6}\s)+/, '')
    .replace(/\s+/g, ' ');
  return firstOf(plain, maxTitleCharacters);
}

/** The content of a JSON string, read as far as it goes. */
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
const unescaped = (raw: string): string =>
  raw
    .replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, '')
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, hex: string | undefined, letter: string | undefined) =>
      hex === undefined
        ? (escapes[letter ?? ''] ?? letter ?? '')
        : String.fromCharCode(Number.parseInt(hex, 16)),
    );

/** Reads JSON that was cut: the title and each reply whole, the longer texts as far as they go. */
function readCutAnswer(text: string): z.infer<typeof answerSchema> {
  const title = /"title"\s*:\s*"((?:[^"\\]|\\.)*)"/s.exec(text)?.[1] ?? '';
  const summary = /"summary"\s*:\s*"((?:[^"\\]|\\.)*)/s.exec(text)?.[1] ?? '';
  const pullRequestText = /"pullRequestText"\s*:\s*"((?:[^"\\]|\\.)*)/s.exec(text)?.[1];
  const replies = text.matchAll(/\{\s*"id"\s*:\s*(\d{1,15})\s*,\s*"text"\s*:\s*"((?:[^"\\]|\\.)*)"\s*\}/gs);
  return {
    title: unescaped(title).trim(),
    summary: unescaped(summary).trim(),
    pullRequestText: pullRequestText === undefined ? null : unescaped(pullRequestText),
    replies: [...replies].map(([, id, words = '']) => ({ id: Number(id), text: unescaped(words) })),
  };
}

/** One line each, the first for each id. */
function repliesOf(untrusted: readonly LineReply[]): readonly LineReply[] {
  const byId = new Map<number, string>();
  for (const { id, text } of untrusted) {
    const line = firstOf(text, maxReplyCharacters).replace(/\s+/g, ' ').trim();
    if (line !== '' && !byId.has(id) && byId.size < maxReplies) byId.set(id, line);
  }
  return [...byId].map(([id, text]) => ({ id, text }));
}

/** Reads the answer: JSON alone, in a fence, or with words around it. null if the text has no JSON. */
function parseAnswer(text: string): z.infer<typeof answerSchema> | null {
  const start = text.search(/\{\s*"/);
  if (start === -1) return null;
  const around = text.slice(0, start);
  const isAnswer = around.trim() === '' || /```\w*\s*$/.test(around) || /"(?:title|summary)"\s*:/.test(text);
  if (!isAnswer) return null;
  const json = text.slice(start, text.lastIndexOf('}') + 1);
  return answerSchema.safeParse(parseJson(json)).data ?? readCutAnswer(text.slice(start));
}

const replySchema = z.object({ answer: z.string() });

/** The answer to a question, possibly cut; '' if Codex gave none. */
export function replyOf({ finalMessage }: Progress): string {
  const text = finalMessage?.trim() ?? '';
  const json = /^(?:```\w*\s*)?(\{[^]*)$/.exec(text)?.[1];
  if (json === undefined) return firstOf(text, maxSummaryCharacters);
  const whole = replySchema.safeParse(parseJson(json.slice(0, json.lastIndexOf('}') + 1))).data?.answer;
  const cut = /"answer"\s*:\s*"((?:[^"\\]|\\.)*)/s.exec(json)?.[1] ?? '';
  return firstOf(whole ?? unescaped(cut), maxSummaryCharacters);
}

/** `valid` is false if the message was missing, not JSON, of another shape, or without a title. */
export function answerOf(progress: Progress): Answer {
  const parsed = progress.finalMessage === null ? null : parseAnswer(progress.finalMessage);
  const title = titleOf(parsed?.title ?? '');
  const summary = firstOf(parsed?.summary ?? '', maxSummaryCharacters);
  const replies = repliesOf(parsed?.replies ?? []);
  const pullRequestText = firstOf(parsed?.pullRequestText ?? '', maxPullRequestTextCharacters);
  const also = {
    ...(replies.length === 0 ? {} : { replies }),
    ...(pullRequestText === '' ? {} : { pullRequestText }),
  };
  if (title !== '' && summary !== '') return { title, summary, valid: true, ...also };
  // JSON of another shape is not readable for people; prose is.
  const prose = [progress.finalMessage, progress.message].find(
    (text) => text !== null && text.trim() !== '' && !/^\s*(?:```\w*\s*)?[[{]/.test(text),
  );
  const text = firstOf(prose ?? '', maxSummaryCharacters);
  return {
    title: title || titleOf(text) || fallbackTitle,
    summary: summary || text || fallbackSummary,
    valid: false,
    ...also,
  };
}
