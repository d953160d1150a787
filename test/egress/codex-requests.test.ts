/**
 * Compares what the pinned Codex sends with the egress rules. If it sends something new: read what it is,
 * allow or refuse it in `src/egress/openai-shapes.ts`, then `node test/egress/record-codex.ts`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exampleGrant } from '../fixtures/example-grant.ts';
import { openaiRequestHeaders } from '../../src/egress/headers.ts';
import { decideResponsesBody } from '../../src/egress/openai-body.ts';
import { itemShapes, toolShapes } from '../../src/egress/openai-shapes.ts';
import { cleanUp, codexBinary, temporaryFolder } from '../codex/driver-harness.ts';
import { fixturePath, recordedBodies, recordedNames } from './fixtures.ts';
import { dialects, pixel, recordTurn } from './recorded-codex.ts';

afterAll(cleanUp);

const grant = { ...exampleGrant, models: dialects.map(({ model }) => model) };
const decide = (body: string) => decideResponsesBody(new TextEncoder().encode(body), grant);
const sentOf = (body: string): unknown => {
  const verdict = decide(body);
  return verdict.kind === 'allow' ? JSON.parse(new TextDecoder().decode(verdict.body)) : verdict;
};

/** Every path of a body with the kinds of objects on the way, outside JSON Schemas. */
function placesOf(value: unknown, path = '', places = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const inner of value) placesOf(inner, `${path}[]`, places);
  else if (typeof value === 'object' && value !== null) {
    const kind = 'type' in value && typeof value.type === 'string' ? `<${value.type}>` : '';
    for (const [key, inner] of Object.entries(value))
      if (key === 'parameters' || key === 'schema') places.add(`${path}${kind}.${key}`);
      else placesOf(inner, `${path}${kind}.${key}`, places);
  } else places.add(`${path}: ${value === null ? 'null' : typeof value}`);
  return places;
}

describe.each(recordedNames)('the recorded requests with %s', (name) => {
  it('are allowed and sent with nothing added, changed or left out', () => {
    const bodies = recordedBodies(name);
    expect(bodies).toHaveLength(2);
    for (const body of bodies) expect(sentOf(body)).toEqual(JSON.parse(body));
  });

  it('name no path of the machine they were recorded on', () => {
    expect(recordedBodies(name).join('')).not.toMatch(/airlock-codex-|\/home\/|\/root\//);
  });
});

describe.each(dialects)('the pinned Codex with $model', ({ name, model, replies }) => {
  it('sends what was recorded and nothing else, and all of it is allowed', async () => {
    const requests = await recordTurn(model, replies);
    expect(requests).toHaveLength(replies.length);
    // The image that the turn begins with reaches the model byte for byte.
    const sent = `"image_url":"data:image/png;base64,${Buffer.from(pixel).toString('base64')}"`;
    expect(requests.every(({ body }) => body.includes(sent))).toBe(true);
    const known = new Set(recordedBodies(name).flatMap((body) => [...placesOf(JSON.parse(body))]));
    const knownHeaders: unknown = JSON.parse(readFileSync(fixturePath(`${name}.headers.json`), 'utf8'));
    for (const { method, path, headers, body } of requests) {
      expect(`${method} ${path}`).toBe('POST /v1/responses');
      expect(sentOf(body)).toEqual(JSON.parse(body));
      expect([...placesOf(JSON.parse(body))].filter((place) => !known.has(place))).toEqual([]);
      expect(knownHeaders).toEqual(expect.arrayContaining(Object.keys(headers)));
      // All headers reach OpenAI, except those between Codex and the gateway.
      const passed = openaiRequestHeaders(new Headers(headers), { openaiApiKey: 'sk-ours' });
      const dropped = Object.keys(headers).filter((header) => !passed.has(header));
      expect(dropped).toEqual(['host', 'content-length']);
    }
  });
});

/** Kinds that Codex knows but never uses with our settings: agents and hosted tools are off. */
const refusedItems = [
  'agent_message',
  'web_search_call',
  'image_generation_call',
  'context_compaction',
  'other',
];
const refusedFields: Readonly<Record<string, readonly string[]>> = {
  // Arguments encrypted for another of its agents.
  function_call: ['encrypted_function_args'],
};

it('has decided about every kind and field of Codex’s own schema of items', () => {
  const folder = temporaryFolder();
  execFileSync(codexBinary(), ['app-server', 'generate-json-schema', '--out', folder]);
  const variant = z.object({
    properties: z.looseObject({ type: z.object({ enum: z.tuple([z.string()]) }) }),
  });
  const schema = z
    .object({ definitions: z.object({ ResponseItem: z.object({ oneOf: z.array(variant) }) }) })
    .parse(JSON.parse(readFileSync(join(folder, 'codex_app_server_protocol.v2.schemas.json'), 'utf8')));
  const undecided = schema.definitions.ResponseItem.oneOf.flatMap(({ properties }) => {
    const [type] = properties.type.enum;
    if (refusedItems.includes(type)) return [];
    const shape = Object.entries(itemShapes).find(([name]) => name === type)?.[1].shape;
    if (shape === undefined) return [type];
    return Object.keys(properties)
      .filter((field) => !(field in shape) && !(refusedFields[type] ?? []).includes(field))
      .map((field) => `${type}.${field}`);
  });
  expect(undecided).toEqual([]);
});

it('allows no kind of item or tool that is not listed here', () => {
  expect(Object.keys(itemShapes).toSorted()).toEqual([
    'additional_tools',
    'compaction',
    'compaction_trigger',
    'configuration_update',
    'custom_tool_call',
    'custom_tool_call_output',
    'function_call',
    'function_call_output',
    'local_shell_call',
    'message',
    'reasoning',
    'tool_search_call',
    'tool_search_output',
  ]);
  expect(Object.keys(toolShapes).toSorted()).toEqual([
    'custom',
    'function',
    'local_shell',
    'namespace',
    'tool_search',
  ]);
});
