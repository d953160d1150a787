/**
 * Reads the rollout of an earlier turn, so that another sandbox can resume its thread. It comes out of a
 * sandbox: a hijacked agent can have rewritten it. What Codex adds to a thread by itself (its instructions,
 * the tools, the environment) is left out, and Codex adds its own again (seen with 0.171.0). So nothing of an
 * earlier sandbox speaks with more authority than a user's message.
 */
import * as z from 'zod';
import type { KeptThread } from '../core/ports/codex.ts';
import { parseJson } from '../lib/parse-json.ts';

const versionSchema = z.string().regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}[\w.-]{0,40}$/);
/** Without `base_instructions` and `dynamic_tools`, which Codex would obey. */
const metaSchema = z.object({
  id: z.string(),
  session_id: z.string().max(100).optional(),
  timestamp: z.string().max(100),
  cwd: z.string().max(1000),
  originator: z.string().max(100),
  cli_version: versionSchema,
  source: z.string().max(100),
  model_provider: z.string().max(100).nullish(),
  history_mode: z.string().max(100).optional(),
});
/** By these Codex knows when to compact the thread. */
const usage = z.record(z.string(), z.number().int().nonnegative());
const tokenCountSchema = z.object({
  type: z.literal('token_count'),
  info: z.object({
    total_token_usage: usage,
    last_token_usage: usage,
    model_context_window: z.number().int().nonnegative().nullish(),
  }),
});
const lineSchema = z.object({
  timestamp: z.string().max(100),
  ordinal: z.number().int().nonnegative().optional(),
  type: z.string(),
  payload: z.looseObject({ type: z.string().optional() }),
});

const spokenRoles: readonly unknown[] = ['user', 'assistant'];
const keptItems: ReadonlySet<string> = new Set([
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'compaction',
]);
/** Messages that Codex writes in the user's name, and writes again. */
const codexWrote = /^\s*(?:<environment_context>|<user_instructions>|# AGENTS\.md instructions)/;
const leftOut = { type: 'input_text', text: '(An image or a file that was here is left out.)' };
const textParts: readonly unknown[] = ['input_text', 'output_text'];

const partSchema = z.looseObject({ type: z.string(), text: z.string().optional() });
const partsSchema = z.array(partSchema);
const itemSchema = z.looseObject({ type: z.string(), role: z.string().optional() });
type Item = z.infer<typeof itemSchema>;

const textOnly = (parts: readonly z.infer<typeof partSchema>[]) =>
  parts.map((part) => (textParts.includes(part.type) ? part : leftOut));

/** Searches, because matching megabytes needs memory. */
const isInlineImage = (url: unknown): boolean =>
  typeof url === 'string' &&
  /^data:image\/(?:png|jpeg|gif|webp);base64,/.test(url) &&
  !/[^A-Za-z0-9+/=]/.test(url.slice(url.indexOf(',') + 1));

/** Keeps the images that people attached, and what surrounds them. */
const textAndImages = (parts: readonly z.infer<typeof partSchema>[]) =>
  parts.map((part) =>
    textParts.includes(part.type) || (part.type === 'input_image' && isInlineImage(part['image_url']))
      ? part
      : leftOut,
  );

/** null: left out. */
function keptItem(item: Item): Item | null {
  if (item.type === 'message') {
    const content = partsSchema.safeParse(item['content']);
    if (!spokenRoles.includes(item.role) || !content.success) return null;
    if (item.role === 'user' && codexWrote.test(content.data[0]?.text ?? '')) return null;
    const keep = item.role === 'user' ? textAndImages : textOnly;
    return { ...item, content: keep(content.data) };
  }
  if (!keptItems.has(item.type)) return null;
  const output = partsSchema.safeParse(item['output']);
  return output.success ? { ...item, output: textOnly(output.data) } : item;
}

const compactedSchema = z.object({
  message: z.string(),
  replacement_history: z.array(itemSchema).nullish(),
});

/** The payload to keep of a line after the first one; null to leave the line out. */
function keptPayload({ type, payload }: z.infer<typeof lineSchema>): unknown {
  switch (type) {
    case 'response_item': {
      const item = itemSchema.safeParse(payload);
      return item.success ? keptItem(item.data) : null;
    }
    case 'compacted': {
      const { data } = compactedSchema.safeParse(payload);
      if (data === undefined) return null;
      const history = data.replacement_history?.flatMap((item) => keptItem(item) ?? []);
      return { message: data.message, ...(history === undefined ? {} : { replacement_history: history }) };
    }
    case 'event_msg':
      return tokenCountSchema.safeParse(payload).data ?? null;
    default:
      return null;
  }
}

/** `threadId` is what the run reported. A last line that was cut off is left out, as Codex does. */
export function readRollout(untrusted: string, threadId: string): KeptThread {
  const [first = '', ...rest] = untrusted.split('\n');
  const head = lineSchema.safeParse(parseJson(first)).data;
  const meta = metaSchema.safeParse(head?.payload).data;
  if (head?.type !== 'session_meta' || meta?.id !== threadId) return { ok: false };
  const kept = [JSON.stringify({ ...head, payload: meta })];
  for (const [index, text] of rest.entries()) {
    if (text === '') continue;
    const line = lineSchema.safeParse(parseJson(text)).data;
    if (line === undefined) {
      if (index === rest.length - 1) break;
      return { ok: false };
    }
    const payload = keptPayload(line);
    if (payload !== null) kept.push(JSON.stringify({ ...line, payload }));
  }
  return { ok: true, rollout: `${kept.join('\n')}\n`, codexVersion: meta.cli_version };
}
