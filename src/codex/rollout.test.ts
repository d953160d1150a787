import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readRollout } from './rollout.ts';

const threadId = '01a1fc30-21cf-73f1-aa41-931577df1494';
const line = (type: string, payload: unknown) =>
  JSON.stringify({ timestamp: 't', ordinal: 1, type, payload });
const meta = {
  id: threadId,
  timestamp: 't',
  cwd: '/workspace/repo',
  originator: 'airlock',
  cli_version: '0.171.0',
  source: 'vscode',
  base_instructions: { text: 'PLANTED' },
  dynamic_tools: [{ name: 'PLANTED' }],
};
const said = (role: string, ...content: unknown[]) => ({ type: 'message', role, content });
const text = (words: string) => ({ type: 'input_text', text: words });
const item = (payload: unknown) => line('response_item', payload);
const rollout = (...lines: readonly string[]) => [line('session_meta', meta), ...lines, ''].join('\n');
const payloads = (kept: string): unknown[] =>
  kept
    .trim()
    .split('\n')
    .slice(1)
    .map((one) => z.object({ payload: z.unknown() }).parse(JSON.parse(one)).payload);
const read = (untrusted: string) => {
  const kept = readRollout(untrusted, threadId);
  if (!kept.ok) throw new Error('it cannot be read');
  return kept;
};

const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==' };
const fromModel = [
  said('user', text('Fix it'), image),
  said('assistant', { type: 'output_text', text: 'Done' }),
  { type: 'reasoning', summary: [], encrypted_content: 'x' },
  { type: 'function_call', name: 'exec_command', arguments: '{}', call_id: 'a' },
  { type: 'function_call_output', call_id: 'a', output: 'ok' },
  { type: 'custom_tool_call', name: 'exec', input: 'x', call_id: 'b' },
  { type: 'custom_tool_call_output', call_id: 'b', output: [text('ok')] },
  { type: 'compaction', encrypted_content: 'x' },
];
const info = { total_token_usage: { total_tokens: 3 }, last_token_usage: { total_tokens: 2 } };

describe('a rollout', () => {
  it('keeps what people, the model and its tools said, and the counts of tokens', () => {
    const count = { type: 'token_count', info };
    const kept = read(rollout(...fromModel.map(item), line('event_msg', { ...count, rate_limits: {} })));
    expect(payloads(kept.rollout)).toEqual([...fromModel, count]);
    expect(kept.codexVersion).toBe('0.171.0');
  });

  it.each([
    ['instructions in the role of the developer', item(said('developer', text('PLANTED')))],
    ['instructions in the role of the system', item(said('system', text('PLANTED')))],
    ['tools', item({ type: 'additional_tools', role: 'developer', tools: ['PLANTED'] })],
    ['tools that a search found', item({ type: 'tool_search_output', tools: ['PLANTED'] })],
    ['a hosted tool', item({ type: 'web_search_call', action: 'PLANTED' })],
    ['the environment of the earlier sandbox', item(said('user', text('<environment_context>PLANTED')))],
    ['guidance of the earlier checkout', item(said('user', text('# AGENTS.md instructions for PLANTED')))],
    ['settings', line('turn_context', { model: 'PLANTED' })],
    ['state', line('world_state', { state: 'PLANTED' })],
    ['other events', line('event_msg', { type: 'user_message', message: 'PLANTED' })],
    ['a second head', line('session_meta', meta)],
    ['a message that is no list of parts', item({ type: 'message', role: 'user', content: 'PLANTED' })],
    [
      'an image that is elsewhere',
      item(said('user', { ...image, image_url: 'https://evil.example/PLANTED' })),
    ],
    [
      'an image that is no image',
      item(said('user', { ...image, image_url: 'data:image/svg+xml;base64,PLANTED' })),
    ],
    ['an image that the model sent', item(said('assistant', { ...image, detail: 'PLANTED' }))],
    ['a file', item(said('user', { type: 'input_file', file_url: 'https://evil.example/PLANTED' }))],
    [
      'an image that a tool returned',
      item({ type: 'custom_tool_call_output', call_id: 'b', output: [{ ...image, detail: 'PLANTED' }] }),
    ],
    [
      'instructions in a compacted history',
      line('compacted', { message: '', replacement_history: [said('developer', text('PLANTED'))] }),
    ],
  ])('leaves out %s, and its own instructions and tools', (_, planted) => {
    expect(read(rollout(planted, item(said('user', text('Fix it'))))).rollout).not.toContain('PLANTED');
  });

  it('keeps a compacted history', () => {
    const compacted = { message: '', replacement_history: fromModel };
    expect(payloads(read(rollout(line('compacted', compacted))).rollout)).toEqual([compacted]);
  });

  it('loses only its last line if that was cut off', () => {
    const whole = rollout(item(said('user', text('Fix it'))));
    expect(read(whole + item(said('user', text('More'))).slice(0, 40)).rollout).toBe(read(whole).rollout);
  });

  it.each([
    ['is empty', ''],
    ['is no JSON', 'not json\n'.repeat(3)],
    ['has no head', `${item(said('user', text('Fix it')))}\n`],
    ['is of another thread', rollout().replace(threadId, '01a1fc30-21cf-73f1-aa41-931577df1495')],
    ['does not name a version', rollout().replace('0.171.0', 'latest')],
    ['has a broken line', rollout('{"type":', item(said('user', text('Fix it'))))],
  ])('cannot be read if it %s', (_, untrusted) => {
    expect(readRollout(untrusted, threadId)).toEqual({ ok: false });
  });
});
