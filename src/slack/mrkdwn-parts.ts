/** Divides a longer text among sections of a message, each of which Slack limits. */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { headOf } from '../lib/cut-text.ts';
import { escapedLength, fenceAfter, renderUntrusted } from './mrkdwn.ts';

/** Below the limit of a section: docs.slack.dev/reference/block-kit/blocks/section-block */
const maxPartChars = 2900;
/** For bullets, marks and the ends of a fence. */
const lineMargin = 10;

/**
 * Renders the text in parts for a section each, of about `maxChars` together. A fence that continues in the
 * next part is closed and opened again. The last part says what is left out.
 */
export function renderUntrustedParts(untrustedMarkdown: string, maxChars: number): readonly string[] {
  const text = stripHiddenCharacters(untrustedMarkdown).trim();
  const parts: string[] = [];
  let room = maxChars;
  for (const source of dividedInto(Math.min(maxPartChars, maxChars), text)) {
    const part = renderUntrusted(source, maxPartChars);
    if (part === '') continue;
    if (parts.length > 0 && part.length > room)
      return [...parts, `_Shortened: the text has ${text.length} characters._`];
    parts.push(part);
    room -= part.length;
  }
  return parts;
}

/** Lines of the text whose rendering fits into `maxChars`. */
function* dividedInto(maxChars: number, text: string): Generator<string> {
  let lines: string[] = [];
  let room = maxChars;
  let fence: string | null = null;
  for (const line of text.split('\n').flatMap(wrapped)) {
    const length = escapedLength(line) + lineMargin;
    if (length > room && lines.length > 0) {
      yield lines.join('\n');
      lines = fence === null ? [] : [fence];
      room = maxChars - lines.length * 2 * lineMargin;
    }
    lines.push(line);
    room -= length;
    fence = fenceAfter(line, fence);
  }
  yield lines.join('\n');
}

/** Continues a line on the next one that would not fit into a part. */
function wrapped(line: string): readonly string[] {
  if (escapedLength(line) < maxPartChars - 2 * lineMargin) return [line];
  const rows: string[] = [];
  for (let rest = line; rest !== '';) {
    const row = headOf(rest, 500);
    const space = rest.length > row.length ? row.lastIndexOf(' ') : -1;
    const end = space > 0 ? space : Math.max(1, row.length);
    rows.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return rows;
}
