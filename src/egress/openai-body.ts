/**
 * Decides what a Responses request may contain: an allowlist at every level. The decided value is serialised
 * again, so that it means one thing to us and to OpenAI. Never throws. Why: hosted tools, remote MCP servers
 * and remote file URLs make OpenAI fetch a URL that the sandbox chose.
 */
import type * as z from 'zod';
import type { Grant } from '../core/grant.ts';
import { readJson, type JsonProblem } from './json-text.ts';
import { isInlineImage, itemShapes, requestShape, toolShapes } from './openai-shapes.ts';
import { deny as denied, type Denial } from './verdict.ts';

export type BodyVerdict = { readonly kind: 'allow'; readonly body: Uint8Array<ArrayBuffer> } | Denial;

const jsonReasons: Record<JsonProblem, string> = {
  utf8: 'the request body is not plain UTF-8',
  json: 'the request body is not JSON',
  depth: 'the request is nested too deeply to be inspected',
  values: 'the request has too many values to be inspected',
  'duplicate-key': 'an object of the request has a key twice, or one that changes its prototype',
  number: 'a number of the request is too large to be passed on as it is',
  text: 'a text of the request has half of a surrogate pair',
};

export function decideResponsesBody(bytes: Uint8Array, grant: Grant): BodyVerdict {
  const json = readJson(bytes);
  if (json.kind === 'problem') return deny(`openai.${json.problem}`, jsonReasons[json.problem]);
  const parsed = requestShape.safeParse(json.value);
  if (!parsed.success)
    return deny(
      'openai.field',
      `the field ${placeOf(parsed.error)} is not allowed in a request to OpenAI, or not with this value`,
    );
  const body = parsed.data;
  if (!grant.models.includes(body.model))
    return deny('openai.model', `the model ${shown(body.model)} is not allowed for this task`);
  const format = body.text?.format;
  const problem =
    toolsProblem(body.tools ?? [], 0) ??
    (format?.type === 'json_schema' ? schemaProblem(format.schema) : null) ??
    firstProblem(body.input, itemProblem);
  // The strict shapes checked `input` and `tools` item by item, so nothing undecided is left in the parsed
  // request.
  return problem ?? { kind: 'allow', body: encode(JSON.stringify(body)) };
}

/** Node's types of `fetch` exclude shared memory. A view, no copy. */
function encode(text: string): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = new TextEncoder().encode(text);
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError('the encoder returned shared memory');
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function itemProblem(item: unknown): Denial | null {
  const type = kindOf(item);
  if (!isKnown(itemShapes, type))
    return deny('openai.input', `an input item of type ${shown(type)} is refused`);
  const { tools, rest } = withoutTools(item);
  const remote = remoteInside(rest);
  if (remote !== null) return remote;
  const parsed = itemShapes[type].safeParse(item);
  if (!parsed.success)
    return deny('openai.item', `${placeOf(parsed.error)} of an input item ${shown(type)} is refused`);
  return toolsProblem(tools, 0);
}

/** `depth` counts namespaces within namespaces, which Codex does not make. */
function toolsProblem(tools: readonly unknown[], depth: number): Denial | null {
  return firstProblem(tools, (tool) => {
    const type = kindOf(tool);
    if (!isKnown(toolShapes, type) || (type === 'namespace' && depth > 0))
      return hostedToolDenial(
        tools.map(kindOf).filter((kind) => kind === type || !isKnown(toolShapes, kind)),
      );
    const parsed = toolShapes[type].safeParse(tool);
    if (!parsed.success)
      return deny('openai.tool', `${placeOf(parsed.error)} of a tool ${shown(type)} is refused`);
    switch (parsed.data.type) {
      case 'namespace':
        return toolsProblem(parsed.data.tools, depth + 1);
      case 'function':
        return schemaProblem(parsed.data.parameters) ?? schemaProblem(parsed.data.output_schema);
      case 'tool_search':
        return schemaProblem(parsed.data.parameters);
      case 'custom':
      case 'local_shell':
        return null;
    }
  });
}

/** Names every hosted tool of the list, up to five: each is an attempt. */
function hostedToolDenial(kinds: readonly (string | null)[]): Denial {
  const named = [...new Set(kinds.map(shown))];
  const listed = `${named.slice(0, 5).join(', ')}${named.length > 5 ? ` and ${named.length - 5} more` : ''}`;
  return deny(
    'openai.tool',
    named.length === 1
      ? `the tool ${listed} runs outside the sandbox and is refused`
      : `the tools ${listed} run outside the sandbox and are refused`,
  );
}

/** Keywords that name another document. A property of such a name has a schema as its value. */
const references = new Set(['$ref', '$dynamicRef', '$recursiveRef', '$id', '$schema']);

function schemaProblem(schema: unknown): Denial | null {
  if (typeof schema !== 'object' || schema === null) return null;
  return firstProblem(Object.entries(schema), ([key, inner]: [string, unknown]) =>
    references.has(key) && typeof inner === 'string' && !inner.startsWith('#')
      ? deny('openai.remote', `${key} in a JSON Schema may only point into the schema itself`)
      : schemaProblem(inner),
  );
}

const remoteKeys = new Set(['file_url', 'file_id', 'audio_url', 'server_url', 'connector_id', 'container']);

/** The strict shapes refuse these as well; searching by name gives a denial that says what it is about. */
function remoteInside(value: unknown): Denial | null {
  if (typeof value !== 'object' || value === null) return null;
  return firstProblem(Object.entries(value), ([key, inner]: [string, unknown]) => {
    if (remoteKeys.has(key))
      return deny('openai.remote', `${key} makes OpenAI fetch from elsewhere and is refused`);
    if (key === 'image_url' && !(typeof inner === 'string' && isInlineImage(inner)))
      return deny('openai.remote', 'image_url has to be a data: URL of a PNG, JPEG, GIF or WebP image');
    return remoteInside(inner);
  });
}

function withoutTools(item: unknown): { tools: readonly unknown[]; rest: unknown } {
  if (typeof item !== 'object' || item === null || !('tools' in item) || !Array.isArray(item.tools))
    return { tools: [], rest: item };
  const { tools, ...rest } = item;
  return { tools, rest };
}

function firstProblem<T>(values: readonly T[], problemOf: (value: T) => Denial | null): Denial | null {
  for (const value of values) {
    const problem = problemOf(value);
    if (problem !== null) return problem;
  }
  return null;
}

function kindOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('type' in value)) return null;
  return typeof value.type === 'string' ? value.type : null;
}

/** Uses `Object.hasOwn`, so that a type called `constructor` is unknown. */
function isKnown<Shapes extends object>(shapes: Shapes, type: string | null): type is keyof Shapes & string {
  return type !== null && Object.hasOwn(shapes, type);
}

/** Names the place of the first fault in the sandbox's own words, shortened and quoted. */
function placeOf({ issues: [issue] }: z.ZodError): string {
  const path = (issue?.path ?? []).map(String);
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  return shown([...path, ...keys.slice(0, 3)].join('.'));
}

const shown = (text: string | null): string => JSON.stringify((text ?? '').slice(0, 100)).toWellFormed();

/** 400: Codex reports it at once and verbatim. */
const deny = (rule: string, reason: string): Denial => denied(rule, reason, 400);
