/** Checks the simulator against OpenAI's published event shapes, event order and refusals. */
import { request as httpRequest } from 'node:http';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  applyPatch,
  cut,
  fail,
  finish,
  plan,
  say,
  shell,
  slow,
  type Script,
} from '../../../simulators/openai/script.ts';
import {
  startOpenAiSimulator,
  type OpenAiSimulator,
  type OpenAiSimulatorOptions,
} from '../../../simulators/openai/server.ts';
import { responseSchema, streamEventSchema } from '../../codex/openai-events.ts';

const apiKey = 'sk-simulated-key-0123456789';
let simulator: OpenAiSimulator | null = null;
afterEach(async () => {
  await simulator?.close();
  simulator = null;
});
async function start(
  script: Script,
  options: Partial<OpenAiSimulatorOptions> = {},
): Promise<OpenAiSimulator> {
  simulator = await startOpenAiSimulator({ apiKey, script, ...options });
  return simulator;
}

const topLevelTools = [
  { type: 'function', name: 'exec_command', parameters: {} },
  { type: 'function', name: 'update_plan', parameters: {} },
  { type: 'custom', name: 'apply_patch' },
];
const inputTools = {
  type: 'additional_tools',
  tools: [{ type: 'namespace', name: 'functions', tools: [{ type: 'custom', name: 'exec' }] }],
};
const user = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const output = (text: string) => ({
  type: 'custom_tool_call_output',
  call_id: 'c',
  output: [{ type: 'input_text', text }],
});
const basic = { model: 'gpt-5.5', stream: true, store: false, input: [user('hi')], tools: topLevelTools };

const post = (to: OpenAiSimulator, body: unknown, init: RequestInit = {}) =>
  fetch(`${to.url}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
    ...init,
  });

const contentOf = (item: z.infer<typeof responseSchema>['output'][number]): string | undefined => {
  if (item.type === 'message') return item.content[0]?.text;
  if (item.type === 'function_call') return item.arguments;
  return item.type === 'custom_tool_call' ? item.input : undefined;
};

async function eventsOf(response: Response) {
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events: z.infer<typeof streamEventSchema>[] = [];
  const stream = response.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of stream ?? []) {
    const parsed = streamEventSchema.parse(JSON.parse(data));
    expect(event).toBe(parsed.type);
    events.push(parsed);
  }
  return events;
}

describe('a streamed answer', () => {
  const cases = [
    { name: 'a message', script: [finish({ title: 'one two', summary: 'three' })] },
    { name: 'a function call', script: [say('Now.'), shell('ls')] },
    { name: 'a plan', script: [plan(['a', 'b'], 1)] },
    { name: 'a custom tool call', script: [applyPatch('*** Begin Patch\n*** End Patch')] },
  ];
  it.each(cases)('of $name has OpenAI’s event types in OpenAI’s order', async ({ script }) => {
    const events = await eventsOf(await post(await start(script), basic));
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress']);
    const last = events.at(-1);
    if (last?.type !== 'response.completed') throw new Error('not completed');
    expect(last.response.usage?.total_tokens).toBeGreaterThan(0);
    const done = events.flatMap((event) => (event.type === 'response.output_item.done' ? [event.item] : []));
    expect(last.response.output).toEqual(done);
    // Each item is added before its parts and done after them, and its deltas add up to its final content.
    for (const [index, item] of done.entries()) {
      const own = events.filter((event) => 'output_index' in event && event.output_index === index);
      expect(own[0]?.type).toBe('response.output_item.added');
      expect(own.at(-1)?.type).toBe('response.output_item.done');
      const text = own.map((event) => ('delta' in event ? event.delta : '')).join('');
      expect(text).toBe(contentOf(item));
    }
  });

  it('is one JSON object if the request does not ask for a stream', async () => {
    const response = await post(await start([finish({ title: 't', summary: 's' })]), {
      ...basic,
      stream: false,
    });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(responseSchema.parse(await response.json()).output).toHaveLength(1);
  });

  it.each([
    { dialect: 'top level', body: basic, name: 'exec_command', type: 'function_call' },
    {
      dialect: 'input items',
      body: { ...basic, tools: undefined, input: [inputTools, user('hi')] },
      name: 'exec',
      type: 'custom_tool_call',
    },
  ])('calls the shell tool in the way the request offers it ($dialect)', async ({ body, name, type }) => {
    const events = await eventsOf(await post(await start([shell('ls -l')]), body));
    expect(events.findLast((event) => event.type === 'response.output_item.done')).toMatchObject({
      item: { type, name },
    });
  });

  it('to a compaction trigger has one compaction item', async () => {
    const body = { ...basic, input: [user('hi'), { type: 'compaction_trigger' }] };
    const events = await eventsOf(await post(await start([shell('ls')]), body));
    expect(events.filter((event) => event.type === 'response.output_item.done')).toMatchObject([
      { item: { type: 'compaction' } },
    ]);
  });

  it('can be cut off in the middle', async () => {
    const response = await post(await start([cut()]), basic);
    await expect(response.text()).rejects.toThrow('terminated');
  });
});

describe('the answer of a script', () => {
  const script: Script = [shell('a'), say('then'), shell('b'), finish({ title: 't', summary: 's' })];
  it.each([
    { input: [user('x')], step: 0 },
    { input: [user('x'), output('1')], step: 1 },
    { input: [user('x'), output('1'), output('2')], step: 2 },
    { input: [user('x'), output('1'), output('2'), output('3')], step: 2 },
    { input: [user('x'), output('1'), user('y')], step: 0 },
  ])('has the number of tool outputs after the last user message ($step)', async ({ input, step }) => {
    const server = await start(script);
    await (await post(server, { ...basic, input })).text();
    expect(server.requests().map((request) => request.step)).toEqual([step]);
  });

  it('can depend on the prompt and on tool outputs', async () => {
    const server = await start(({ prompt, outputs }) => [
      shell('a'),
      finish({ title: prompt, summary: outputs[0] ?? '' }),
    ]);
    const events = await eventsOf(
      await post(server, { ...basic, input: [user('ask'), output('tool said')] }),
    );
    expect(JSON.stringify(events.at(-1))).toContain(
      JSON.stringify('{"title":"ask","summary":"tool said"}').slice(1, -1),
    );
  });

  it('is delayed by its own delay plus the latency', async () => {
    const server = await start([slow(60), shell('a')], { latencyMs: (step) => (step === 0 ? 40 : 0) });
    const before = performance.now();
    await (await post(server, basic)).text();
    expect(performance.now() - before).toBeGreaterThan(98);
  });
});

const errorSchema = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

describe('a refusal', () => {
  const json = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const looseSchema = {
    type: 'json_schema',
    name: 'x',
    strict: true,
    schema: { type: 'object', properties: {} },
  };
  it.each([
    {
      name: 'a missing key',
      init: { headers: { 'content-type': 'application/json' } },
      status: 401,
      code: null,
    },
    {
      name: 'a wrong key',
      init: { headers: { ...json, authorization: 'Bearer sk-other-key-99999999' } },
      status: 401,
      code: 'invalid_api_key',
    },
    {
      name: 'another authorization scheme',
      init: { headers: { ...json, authorization: `Basic ${apiKey}` } },
      status: 401,
      code: null,
    },
    {
      name: 'another content type',
      init: { headers: { ...json, 'content-type': 'text/plain' } },
      status: 400,
      code: 'unsupported_content_type',
    },
    { name: 'a body that is not JSON', body: '{', status: 400, code: 'invalid_json' },
    { name: 'a missing model', body: { input: 'x' }, status: 400, code: 'missing_required_parameter' },
    { name: 'an unknown model', body: { ...basic, model: 'gpt-0' }, status: 400, code: 'model_not_found' },
    {
      name: 'an unknown parameter',
      body: { ...basic, frobnicate: 1 },
      status: 400,
      code: 'unknown_parameter',
    },
    { name: 'a parameter of a wrong type', body: { ...basic, input: 5 }, status: 400, code: 'invalid_type' },
    {
      name: 'a non-strict output schema',
      body: { ...basic, text: { format: looseSchema } },
      status: 400,
      code: 'invalid_json_schema',
    },
    { name: 'another method', init: { method: 'PUT' }, status: 405, code: 'method_not_supported' },
  ])('for $name has status $status and code $code', async ({ body, init, status, code }) => {
    const server = await start([finish({ title: 't', summary: 's' })]);
    const response = await post(server, body ?? basic, init);
    expect(response.status).toBe(status);
    const text = await response.text();
    expect(errorSchema.parse(JSON.parse(text)).error.code).toBe(code);
    expect(text).not.toContain(apiKey);
    expect(server.requests()).toMatchObject([{ status, step: null }]);
  });

  it.each(['/v1/models', '/v1/alpha/search', '/v1/files', '/v1/responses/resp_1', '/', '/v2/responses'])(
    'for the unknown route %s is a 404',
    async (path) => {
      const server = await start([]);
      const response = await fetch(new URL(path, server.url), { headers: json });
      expect(response.status).toBe(404);
    },
  );

  it('for a WebSocket upgrade is a 426', async () => {
    const server = await start([]);
    const status = await new Promise((resolve, reject) => {
      httpRequest(`${server.url}/responses`, { headers: { connection: 'Upgrade', upgrade: 'websocket' } })
        .on('response', (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(426);
  });

  it('from the script has the script’s status and body', async () => {
    const server = await start([
      fail(429, { message: 'Slow down', code: 'rate_limit_exceeded', type: 'tokens' }),
    ]);
    const response = await post(server, basic);
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual({
      error: { message: 'Slow down', type: 'tokens', param: null, code: 'rate_limit_exceeded' },
    });
  });
});

it('does not record the API key', async () => {
  const server = await start([finish({ title: 't', summary: 's' })]);
  await (await post(server, basic)).text();
  expect(JSON.stringify(server.requests())).not.toContain(apiKey);
  expect(server.requests()[0]).toMatchObject({
    method: 'POST',
    path: '/v1/responses',
    model: 'gpt-5.5',
    status: 200,
  });
});

describe('GET /v1/models/{model}', () => {
  it.each([
    ['an available model', apiKey, 'gpt-5.5', 200, { id: 'gpt-5.5', object: 'model' }],
    ['an unknown model', apiKey, 'gpt-0', 404, { error: { code: 'model_not_found' } }],
    ['a wrong key', 'sk-another', 'gpt-5.5', 401, { error: { code: 'invalid_api_key' } }],
  ])('answers for %s', async (_, key, model, status, body) => {
    const to = await start([]);
    const response = await fetch(`${to.url}/models/${model}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject(body);
  });
});
