/**
 * Parses Codex's final message into a title and a summary, caps both, and falls back to usable text. OpenAI
 * constrains the message to the schema below, but Codex does not check it, and a hijacked sandbox can write
 * anything. The result is still untrusted: `publish/` escapes it and breaks mentions.
 */
import * as z from 'zod';
import type { Answer, Progress } from '../core/progress.ts';
import { firstOf } from './untrusted-text.ts';
import { parseJson } from '../lib/parse-json.ts';

/** Most views of a commit cut longer subjects. */
export const maxTitleCharacters = 72;
export const maxSummaryCharacters = 10_000;

/**
 * The schema in the strict form of structured outputs: everything required, no additional properties. The
 * descriptions state the lengths, because the strict form does not accept `maxLength` for every model.
 */
export const answerJsonSchema = {
  type: 'object',
  properties: {
    title: {
      type: 'string',
      description: `Title of the pull request: one line, imperative mood, plain text, at most ${maxTitleCharacters} characters.`,
    },
    summary: {
      type: 'string',
      description:
        'What was changed and why, and how it was verified, in GitHub-flavored Markdown. If nothing was changed: why.',
    },
  },
  required: ['title', 'summary'],
  additionalProperties: false,
} as const;

const answerSchema = z.strictObject({ title: z.string().trim().min(1), summary: z.string().trim().min(1) });

const fallbackTitle = 'Changes by Codex';
const fallbackSummary = 'Codex left no summary of its work.';

/** Returns one line without Markdown markup and mentions. */
function titleOf(untrusted: string): string {
  const line =
    firstOf(untrusted, 1_000)
      .split('\n')
      .find((candidate) => candidate.trim() !== '') ?? '';
  const plain = line
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(?<!\w)([*_~`]{1,3})(?=\S)(.*?)(?<=\S)\1(?!\w)/g, '$2')
    .replace(/^[\s#>*+-]+/, '')
    .replace(/@(?=[A-Za-z0-9_])/g, '')
    .replace(/\s+/g, ' ');
  return firstOf(plain, maxTitleCharacters);
}

function parseAnswer(text: string): z.infer<typeof answerSchema> | null {
  return answerSchema.safeParse(parseJson(text)).data ?? null;
}

/**
 * Returns the answer. `valid` is false if the message was missing, not JSON, of another shape, or without a
 * title.
 */
export function answerOf(progress: Progress): Answer {
  const parsed = progress.finalMessage === null ? null : parseAnswer(progress.finalMessage);
  const title = parsed === null ? '' : titleOf(parsed.title);
  const summary = parsed === null ? '' : firstOf(parsed.summary, maxSummaryCharacters);
  if (title !== '' && summary !== '') return { title, summary, valid: true };
  // JSON of another shape is not readable for people; prose is.
  const prose = [progress.finalMessage, progress.message].find(
    (text) => text !== null && text.trim() !== '' && !/^\s*[[{]/.test(text),
  );
  const text = firstOf(prose ?? '', maxSummaryCharacters);
  return {
    title: title || titleOf(text) || fallbackTitle,
    summary: summary || text || fallbackSummary,
    valid: false,
  };
}
