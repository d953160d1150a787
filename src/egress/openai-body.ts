/**
 * Decides what may stand in a Responses request. An allowlist at every level that matters: top-level fields, tool
 * kinds, input item types. What is sent upstream is the value decided here, serialised again, so that a duplicate key
 * or an odd escape cannot mean one thing to us and another to OpenAI.
 *
 * Why: OpenAI's own endpoint is an exit. Hosted tools, remote MCP servers and remote image or file URLs make OpenAI
 * fetch an address that the sandbox chose. Sources: the public API types; what Codex 0.169.0 sends (measured).
 */
import { z } from 'zod';
import type { Grant } from '../core/grant.ts';

export type BodyVerdict =
  | { readonly kind: 'allow'; readonly body: string; readonly model: string }
  | { readonly kind: 'deny'; readonly rule: string; readonly reason: string };

const topLevel = z.strictObject({
  model: z.string(),
  stream: z.literal(true),
  store: z.literal(false),
  instructions: z.string().optional(),
  input: z.array(z.looseObject({ type: z.string().optional() })),
  tools: z.array(z.unknown()).optional(),
  tool_choice: z.enum(['auto', 'none', 'required']).optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.looseObject({}).nullish(),
  include: z.array(z.literal('reasoning.encrypted_content')).optional(),
  prompt_cache_key: z.string().optional(),
  text: z.looseObject({}).optional(),
  service_tier: z.enum(['auto', 'default', 'flex', 'priority']).optional(),
  client_metadata: z.record(z.string(), z.string()).optional(),
});

/** Items whose meaning is in the request itself; `item_reference` and hosted calls point at state on OpenAI's side. */
const inputTypes = new Set([
  'additional_tools',
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'tool_search_call',
  'tool_search_output',
  'configuration_update',
  'compaction',
  'compaction_trigger',
]);

/** Deeper than Codex nests anything; a bound on the walk, not a taste. */
const maxDepth = 64;

export function decideResponsesBody(text: string, grant: Grant): BodyVerdict {
  const json = parseJson(text);
  if (json === undefined) return deny('openai.json', 'the request body is not JSON');
  const parsed = topLevel.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue?.path.join('.');
    return deny(
      'openai.field',
      `the field ${JSON.stringify(field ?? '').slice(0, 200)} may not be sent to OpenAI like this`,
    );
  }
  const body = parsed.data;
  if (!grant.models.includes(body.model))
    return deny(
      'openai.model',
      `the model ${JSON.stringify(body.model.slice(0, 100))} is not allowed for this task`,
    );
  for (const item of body.input) {
    // Codex sends plain messages without a type as well; the API reads them as messages.
    if (item.type !== undefined && !inputTypes.has(item.type))
      return deny(
        'openai.input',
        `an input item of type ${JSON.stringify(item.type.slice(0, 100))} is refused`,
      );
  }
  const problem = forbiddenTool(body.tools ?? []) ?? forbiddenInside(body.input, 0);
  if (problem !== null) return problem;
  return { kind: 'allow', body: JSON.stringify(body), model: body.model };
}

/** Kinds that Codex itself executes inside the sandbox. */
const toolSchema = z.looseObject({
  type: z.string(),
  execution: z.unknown().optional(),
  tools: z.unknown().optional(),
});

function forbiddenTool(tools: readonly unknown[]): Extract<BodyVerdict, { kind: 'deny' }> | null {
  for (const untrusted of tools) {
    const tool = toolSchema.safeParse(untrusted);
    if (!tool.success) return deny('openai.tool', 'a tool without a type is refused');
    const { type, execution, tools: nested } = tool.data;
    if (type === 'function' || type === 'custom') continue;
    if (type === 'tool_search' && execution === 'client') continue;
    if (type === 'namespace') {
      if (!Array.isArray(nested)) return deny('openai.tool', 'a tool namespace without tools is refused');
      const inner = forbiddenTool(nested);
      if (inner !== null) return inner;
      continue;
    }
    return deny(
      'openai.tool',
      `the tool ${JSON.stringify(type.slice(0, 100))} runs outside the sandbox and is refused`,
    );
  }
  return null;
}

/** Keys that make OpenAI fetch or look up something, wherever in the input they stand. */
function forbiddenInside(value: unknown, depth: number): Extract<BodyVerdict, { kind: 'deny' }> | null {
  if (depth > maxDepth) return deny('openai.depth', 'the request is nested too deeply to be inspected');
  if (Array.isArray(value)) {
    for (const item of value) {
      const problem = forbiddenInside(item, depth + 1);
      if (problem !== null) return problem;
    }
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'file_url' || key === 'file_id' || key === 'server_url' || key === 'connector_id')
      return deny('openai.remote', `${key} makes OpenAI reach out and is refused`);
    if (key === 'image_url' && !(typeof inner === 'string' && inner.startsWith('data:')))
      return deny('openai.remote', 'image_url has to be a data: URL');
    if (key === 'tools' && Array.isArray(inner)) {
      const tool = forbiddenTool(inner);
      if (tool !== null) return tool;
      continue; // tool definitions are JSON Schemas: a property named file_id there is a name, not a reference
    }
    const problem = forbiddenInside(inner, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

function deny(rule: string, reason: string): Extract<BodyVerdict, { kind: 'deny' }> {
  return { kind: 'deny', rule, reason };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON is an expected input, answered by the caller
  }
}
