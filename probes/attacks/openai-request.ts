/** A request to the Responses API that is allowed, and functions that change it into attacks. */
import { jsonType, marker, model, request, type RequestPieces } from './attack.ts';

export interface ModelRequest {
  readonly [field: string]: unknown;
}

/** The least that Codex would send and that upstream answers. */
export function validRequest(text: string = marker): ModelRequest {
  return {
    model,
    stream: true,
    store: false,
    input: [message({ type: 'input_text', text })],
    tools: [],
    tool_choice: 'auto',
    parallel_tool_calls: false,
    include: [],
  };
}

export const message = (...content: readonly unknown[]) => ({ type: 'message', role: 'user', content });
export const output = (...content: readonly unknown[]) => ({
  type: 'function_call_output',
  call_id: 'call_1',
  output: content,
});
export const image = (url: unknown) => ({ type: 'input_image', image_url: url });
export const functionTool = {
  type: 'function',
  name: 'look',
  description: 'looks',
  strict: false,
  parameters: { type: 'object', properties: {} },
};

export const openai = { host: 'api.openai.com' } as const;
const responses = '/v1/responses';

/** A body of the attacker's own, to the endpoint that is open. */
export const sends = (body: RequestPieces['body'], ...headers: readonly string[]): RequestPieces =>
  request('POST', responses, {
    ...openai,
    headers: headers.some((header) => /^content-type:/i.test(header)) ? headers : [jsonType, ...headers],
    body,
  });
export const asks = (body: unknown): RequestPieces => sends({ text: JSON.stringify(body) });
export const changed = (change: ModelRequest): RequestPieces => asks({ ...validRequest(), ...change });
export const without = (field: string): RequestPieces =>
  asks(Object.fromEntries(Object.entries(validRequest()).filter(([name]) => name !== field)));

export const withTool = (tool: unknown): RequestPieces => changed({ tools: [functionTool, tool] });
export const withItem = (item: unknown): RequestPieces =>
  changed({ input: [message({ type: 'input_text', text: marker }), item] });
export const withPart = (part: unknown): RequestPieces => withItem(message(part));
export const withOutput = (part: unknown): RequestPieces => withItem(output(part));
export const withSchema = (schema: unknown): RequestPieces =>
  withTool({ type: 'function', name: 'f', parameters: schema });

/** Adds a member to the JSON text, even one that exists already, which no serialiser would write. */
export function withRaw(raw: string, where: 'first' | 'last' = 'last'): string {
  const text = JSON.stringify(validRequest());
  return where === 'first' ? `{${raw},${text.slice(1)}` : `${text.slice(0, -1)},${raw}}`;
}
