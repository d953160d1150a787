/**
 * Reads a message's words as mrkdwn, and where a mention counts. `text` lacks the words of tables, forwarded
 * messages and newer blocks, so those are read too; forwarded words become a quotation.
 */
import * as z from 'zod';

const optional = z.string().nullish();
/** The fields of a message that hold words or files. Of any other type they are read as missing. */
export const wordFields = {
  text: optional,
  blocks: z.array(z.unknown()).nullish().catch(null),
  attachments: z.array(z.unknown()).nullish().catch(null),
  files: z
    .array(z.object({ id: optional, name: optional, title: optional, mode: optional }))
    .nullish()
    .catch(null),
} as const;
const wordsSchema = z.object(wordFields);
type WordFields = z.infer<typeof wordsSchema>;

const maxDepth = 12;
/** Characters read from blocks and attachments. More than an instruction may have, so that it is refused. */
const maxChars = 30_000;

const nodeSchema = z.looseObject({ type: z.string().catch('') });
const text = z.string().catch('');
const list = z.array(z.unknown()).catch([]);
const escape = (plain: string): string =>
  plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const quote = (mrkdwn: string): string => mrkdwn.replace(/^/gm, '&gt; ');

/** Renders a block or an element as mrkdwn; empty if it has no words. */
function wordsIn(untrusted: unknown, depth = 0): string {
  const { data: node } = nodeSchema.safeParse(untrusted);
  if (node === undefined || depth > maxDepth) return '';
  const field = (name: string): string => text.parse(node[name]);
  const below = (name: string, between: string): string =>
    list
      .parse(node[name])
      .map((one) => wordsIn(one, depth + 1))
      .filter((words) => words !== '')
      .join(between);
  switch (node.type) {
    case 'text':
    case 'plain_text':
    case 'raw_text':
    case 'markdown':
      return escape(field('text'));
    case 'mrkdwn':
      return field('text');
    case 'user':
      return `<@${field('user_id')}>`;
    case 'usergroup':
      return `<!subteam^${field('usergroup_id')}>`;
    case 'channel':
      return `<#${field('channel_id')}>`;
    case 'broadcast':
      return `<!${field('range')}>`;
    case 'link':
      return field('text') === ''
        ? `<${escape(field('url'))}>`
        : `<${escape(field('url'))}|${escape(field('text'))}>`;
    case 'emoji':
      return `:${field('name')}:`;
    case 'rich_text_quote':
      return quote(below('elements', ''));
    case 'rich_text_preformatted':
      return `\`\`\`\n${below('elements', '')}\n\`\`\``;
    case 'rich_text_section':
      return below('elements', '');
    case 'rich_text_list':
      return below('elements', '\n').replace(/^/gm, '• ');
    case 'table':
      return list
        .parse(node['rows'])
        .map((row) =>
          list
            .parse(row)
            .map((cell) => wordsIn(cell, depth + 1))
            .join(' | '),
        )
        .join('\n');
    default:
      return [wordsIn(node['text'], depth + 1), below('fields', '\n'), below('elements', '\n')]
        .filter((words) => words !== '')
        .join('\n');
  }
}

const isTable = (block: unknown): boolean => nodeSchema.safeParse(block).data?.type === 'table';
const attachmentSchema = z.object({
  /** Forwarded by the author. */
  is_share: z.boolean().catch(false),
  /** Set on a preview, whose words are a stranger's. */
  from_url: z.unknown().optional(),
  original_url: z.unknown().optional(),
  is_msg_unfurl: z.unknown().optional(),
  is_app_unfurl: z.unknown().optional(),
  blocks: list,
  message_blocks: z.array(z.object({ message: z.object({ blocks: list }) })).catch([]),
  pretext: text,
  title: text,
  text,
  fallback: text,
});

/** Tables that the author pasted, and other people's words as a quotation. */
function attachmentWords(untrusted: unknown): string {
  const { data } = attachmentSchema.safeParse(untrusted);
  if (data === undefined) return '';
  const isPreview = [data.from_url, data.original_url, data.is_msg_unfurl, data.is_app_unfurl].some(Boolean);
  const isOwn = !data.is_share && !isPreview;
  if (isOwn && data.blocks.some(isTable)) return data.blocks.map((block) => wordsIn(block)).join('\n');
  if (!data.is_share) return '';
  const written = [data.pretext, data.title, data.text].filter((part) => part !== '').join('\n');
  const blocks = [...data.blocks, ...data.message_blocks.flatMap(({ message }) => message.blocks)]
    .map((block) => wordsIn(block))
    .join('\n');
  const words = written || blocks || data.fallback;
  return words === '' ? '' : quote(words);
}

/** Whether a text has words besides mentions. */
const hasWords = (mrkdwn: string): boolean => mrkdwn.replace(/<@[^<>]{0,200}>/g, '').trim() !== '';

/** The words of a message as mrkdwn. */
export function messageWords(message: WordFields): string {
  const { blocks, attachments } = message;
  const typed = message.text ?? '';
  const read = (blocks ?? []).map((block) => wordsIn(block)).join('\n');
  const [own, tables] = hasWords(typed)
    ? [typed, (blocks ?? []).filter(isTable).map((block) => wordsIn(block))]
    : [hasWords(read) ? read : typed, []];
  return [own, ...tables, ...(attachments ?? []).map(attachmentWords)]
    .filter((part) => part !== '')
    .join('\n')
    .slice(0, Math.max(maxChars, typed.length));
}

/** What a message without words holds. With words it is null: they say what is asked. */
export type Wordless =
  /** Attached files, which are what the person shows. `pasted`: a long text that Slack made a file of. */
  | { readonly kind: 'files'; readonly names: string; readonly pasted: boolean }
  /** What nobody reads. */
  | { readonly kind: 'unread'; readonly what: string };

export function wordless(message: WordFields, words: string): Wordless | null {
  if (hasWords(words)) return null;
  const files = message.files ?? [];
  const names = files
    .map((file) => file.name ?? file.title ?? 'a file')
    .slice(0, 5)
    .join(', ');
  const readable = files.filter(({ id, mode }) => isFileId(id) && !unreadModes.has(mode ?? ''));
  const pasted = readable.some(({ mode }) => mode === 'snippet' || mode === 'post');
  if (readable.length > 0) return { kind: 'files', names, pasted };
  if (names !== '') return { kind: 'unread', what: names };
  const isUnread =
    (message.attachments ?? []).length > 0 || (message.blocks ?? []).some((block) => !isTyped(block));
  return isUnread ? { kind: 'unread', what: 'what is attached' } : null;
}
/** Deleted files, those that a free workspace hides or another service keeps, canvases and lists. */
const unreadModes: ReadonlySet<string> = new Set([
  'tombstone',
  'hidden_by_limit',
  'external',
  'canvas',
  'quip',
  'list',
]);
export const isFileId = (id: string | null | undefined): id is string => /^F[A-Z0-9]{1,30}$/.test(id ?? '');
const isTyped = (block: unknown): boolean => nodeSchema.safeParse(block).data?.type === 'rich_text';

/** Quoted lines, `>>>` to the end, and code, in the form in which Slack delivers them. */
const notAddressed = /^[ \t]*&gt;&gt;&gt;[^]*|^[ \t]*&gt;.*$|```[^]*?```|`[^`\n]*`/gm;

/** Blanks out quotations and code, in which a mention does not count; positions stay the same. Linear. */
export function addressable(mrkdwn: string): string {
  return mrkdwn.replace(notAddressed, (found) => ' '.repeat(found.length));
}
