/**
 * Judges from the bytes alone whether a model request may leave, and shares nothing with the rules that it
 * judges. Its places come from openai-node 7.5.0's request types.
 */

/** Kinds of objects that make OpenAI run, fetch or look up something. */
const hostedKind =
  /^(?:web_search|mcp|code_interpreter|file_search|image_generation|computer|shell|apply_patch_call|container|item_reference|input_file|input_audio|programmatic|program|connector|url_citation|file_citation)/i;
const clientTools = ['function', 'custom', 'namespace', 'local_shell'];
const remoteKey =
  /^(?:file_url|file_id|file_ids|audio_url|server_url|connector_id|container|container_id|vector_store_ids|item_reference|previous_response_id|conversation|background|prompt|webhook_url|url)$/i;
const topLevel = [
  'model',
  'stream',
  'store',
  'instructions',
  'input',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning',
  'include',
  'prompt_cache_key',
  'text',
  'service_tier',
  'client_metadata',
];
/** Names and texts of the sender, which OpenAI at most stores: they have no effect. */
const freeKeys = ['client_metadata', 'internal_chat_message_metadata_passthrough', 'env'];
const schemaKeys = ['parameters', 'output_schema', 'schema'];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lists every fault of a request that is about to be sent; empty if it is harmless. */
export function faultsOf(bytes: Uint8Array, models: readonly string[]): string[] {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const body: unknown = JSON.parse(text);
  const faults: string[] = [];
  if (!isObject(body)) return ['the body is no object'];
  // The only spelling without duplicate keys and odd escapes.
  if (JSON.stringify(body) !== text) faults.push('the body is not in canonical spelling');
  if (body['store'] !== false) faults.push('store is not false');
  if (body['stream'] !== true) faults.push('stream is not true');
  if (!models.includes(String(body['model']))) faults.push('another model');
  if (JSON.stringify(body['include'] ?? []).replace('"reasoning.encrypted_content"', '') !== '[]')
    faults.push('include has more than reasoning');
  for (const key of Object.keys(body)) if (!topLevel.includes(key)) faults.push(`top-level field ${key}`);
  if (body['tool_choice'] !== undefined && typeof body['tool_choice'] !== 'string')
    faults.push('tool_choice names a tool');
  const input = body['input'];
  if (!Array.isArray(input)) faults.push('input is no list');
  else
    for (const item of input)
      if (!isObject(item) || typeof item['type'] !== 'string') faults.push('an item without a type');
  const free: unknown[] = [];
  walk(body, '', faults, free);
  scanText(text, free, faults);
  return faults;
}

function walk(value: unknown, path: string, faults: string[], free: unknown[]): void {
  if (Array.isArray(value)) {
    for (const inner of value) walk(inner, `${path}[]`, faults, free);
    return;
  }
  if (!isObject(value)) return;
  const type = value['type'];
  if (typeof type === 'string' && hostedKind.test(type)) faults.push(`${path} is ${type}`);
  for (const [key, inner] of Object.entries(value)) {
    const at = `${path}.${key}`;
    if (freeKeys.includes(key)) {
      free.push(inner);
      continue;
    }
    if (schemaKeys.includes(key) && /(?:tools\[\]|\.format)$/.test(path)) {
      free.push(inner);
      walkSchema(inner, at, faults);
      continue;
    }
    if (remoteKey.test(key)) faults.push(`${at} is there`);
    if (key === 'image_url' && !(typeof inner === 'string' && isPicture(inner)))
      faults.push(`${at} is no picture`);
    if (key === 'tools') checkTools(inner, at, faults);
    walk(inner, at, faults, free);
  }
}

function checkTools(tools: unknown, at: string, faults: string[]): void {
  if (!Array.isArray(tools)) {
    faults.push(`${at} is no list`);
    return;
  }
  for (const tool of tools) {
    const type = isObject(tool) ? tool['type'] : undefined;
    const isClient =
      isObject(tool) &&
      (clientTools.includes(String(type)) || (type === 'tool_search' && tool['execution'] === 'client'));
    if (!isClient) faults.push(`${at} has the tool ${String(type)}`);
  }
}

function walkSchema(value: unknown, path: string, faults: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (/^\$(?:\w*ref|id|schema)$/i.test(key) && typeof inner === 'string' && !inner.startsWith('#'))
      faults.push(`${path}.${key} points elsewhere`);
    walkSchema(inner, `${path}.${key}`, faults);
  }
}

const isPicture = (url: string): boolean =>
  url.startsWith('data:image/') && url.includes(';base64,') && !/svg|:\/\/|\s/i.test(url);

/** In canonical text, a quote without a backslash before it and with a colon after it ends a key. */
function scanText(text: string, free: readonly unknown[], faults: string[]): void {
  let rest = text;
  for (const value of free) rest = rest.replace(JSON.stringify(value), () => '0');
  for (const [, key, url] of rest.matchAll(
    /(?<!\\)"([\w$.-]*(?:url|uri|href|src|endpoint|ref))":"((?:[a-z][a-z0-9+.-]*:)?\/\/[^"]*)"/gi,
  ))
    faults.push(`the text has "${key}" with ${String(url).slice(0, 50)}`);
}
