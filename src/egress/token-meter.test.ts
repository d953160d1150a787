import { expect, it } from 'vitest';
import { totalOnly } from '../core/grant.ts';
import { meterTokens, type Metered } from './token-meter.ts';

const limits = { maxBytes: 1_000_000, idleMs: 1_000 };
async function metered(text: string, pieceCharacters = text.length): Promise<Metered | undefined> {
  const pieces = text.match(new RegExp(`[^]{1,${Math.max(1, pieceCharacters)}}`, 'g')) ?? [];
  const seen: Metered[] = [];
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  expect(await new Response(meterTokens(stream, limits, (one) => void seen.push(one))).text()).toBe(text);
  expect(seen).toHaveLength(1);
  return seen[0];
}
const final = (type: string, usage: unknown = { total_tokens: 77 }) =>
  JSON.stringify({ type, response: { usage } });

it.each([
  ['as OpenAI sends them', `event: response.completed\ndata: ${final('response.completed')}\n\n`],
  ['without lines that name the event', `data: ${final('response.completed')}\n\n`],
  ['with a name that differs from their data', `event: message\ndata: ${final('response.completed')}\n\n`],
  ['of a response that was cut short', `data: ${final('response.incomplete')}\n\n`],
  ['of one that failed', `data: ${final('response.failed')}\n\n`],
  ['with carriage returns', `data: ${final('response.completed')}\r\n\r\n`],
  ['in JSON over two lines', `data: {"type":"response.completed",\ndata: ${final('').slice(11)}\n\n`],
  ['with others around', `data: {"type":"x"}\n\ndata: ${final('response.completed')}\n\ndata: [DONE]\n\n`],
])('reads the usage of events %s, in pieces of any size', async (_, text) => {
  for (const size of [text.length, 7, 1])
    expect(await metered(text, size)).toMatchObject({ tokens: totalOnly(77), finished: true });
});

it('reads input, cached input and output, as the pull request shows them', async () => {
  const usage = {
    input_tokens: 60,
    input_tokens_details: { cached_tokens: 50 },
    output_tokens: 17,
    total_tokens: 77,
  };
  expect(await metered(`data: ${final('response.completed', usage)}\n\n`)).toMatchObject({
    tokens: { inputTokens: 60, cachedInputTokens: 50, outputTokens: 17, totalTokens: 77 },
  });
});

it.each([
  [
    'words of the model',
    JSON.stringify({ type: 'response.output_text.delta', delta: final('response.completed') }),
  ],
  ['an event that holds one', JSON.stringify({ type: 'x', inner: JSON.parse(final('response.completed')) })],
  ['a name without the data', '{}'],
  ['broken JSON', '{"type":"response.completed"'],
  ['a negative number', final('response.completed', { total_tokens: -1 })],
])('ignores %s', async (_, data) => {
  expect(await metered(`event: response.completed\ndata: ${data}\n\n`)).toMatchObject({
    tokens: null,
    finished: false,
  });
});

it.each([
  ['a refusal', { type: 'response.refusal.done', refusal: 'I cannot help.' }, 'I cannot help.'],
  ['a long one, cut', { type: 'response.refusal.done', refusal: 'x'.repeat(3_000) }, 'x'.repeat(2_000)],
  ['none in words of the model', { type: 'x', delta: '"type":"response.refusal.done"' }, null],
  ['none without words', { type: 'response.refusal.done' }, null],
])('reads %s', async (_, event, refusal) => {
  const text = `data: ${JSON.stringify(event)}\n\ndata: ${final('response.completed')}\n\n`;
  expect(await metered(text)).toMatchObject({ refusal, tokens: totalOnly(77) });
});

it('distinguishes a response that failed without usage from one that was abandoned', async () => {
  expect(await metered(`data: ${final('response.failed', null)}\n\n`)).toMatchObject({
    tokens: null,
    finished: true,
  });
});
