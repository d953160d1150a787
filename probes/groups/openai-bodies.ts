/** A request to the Responses API that is allowed, and ways to change it. The probes of the model's channel are made of these. */

import { curl, type Probe } from '../probe.ts';

export interface OpenAiBody {
  readonly [field: string]: unknown;
}

/** The least that Codex would send and that upstream answers. */
export function validBody(model: string, text = 'hello'): OpenAiBody {
  return {
    model,
    stream: true,
    store: false,
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }],
    tools: [],
    tool_choice: 'auto',
    parallel_tool_calls: false,
    include: [],
  };
}

export const functionTool = {
  type: 'function',
  name: 'look',
  description: 'looks',
  strict: false,
  parameters: { type: 'object', properties: {} },
};

/** JSON as text with one member more, whatever stands there already: what a serialiser would not write. */
export function withRaw(body: OpenAiBody, raw: string, where: 'first' | 'last' = 'last'): string {
  const text = JSON.stringify(body);
  return where === 'first' ? `{${raw},${text.slice(1)}` : `${text.slice(0, -1)},${raw}}`;
}

export function sendBody(id: string, attack: string, body: OpenAiBody, expected: readonly string[]): Probe {
  // Without the expectation curl would wait for leave to send a large body.
  const args = [
    '-H',
    'expect:',
    '-H',
    'content-type: application/json',
    'https://api.openai.com/v1/responses',
  ];
  return curl(id, attack, args, expected, { body: { text: JSON.stringify(body) } });
}
