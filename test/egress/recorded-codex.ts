/**
 * Runs the pinned Codex under the real driver against a server that answers with given output items, and
 * returns its requests. The items cover what a turn can carry into the next request.
 */
import { createServer } from 'node:http';
import { runDriver } from '../codex/driver-harness.ts';
import { readBody } from '../fake-engine/http-parts.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { png } from '../fixtures/images.ts';

export interface CodexRequest {
  readonly method: string;
  readonly path: string;
  /** As received, without `authorization`; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Item = Readonly<Record<string, unknown>>;
interface Reply {
  readonly items: readonly Item[];
  /** Usage that the response reports; a large one makes Codex request a compaction. */
  readonly totalTokens?: number;
}

const reasoning = (id: number): Item => ({
  type: 'reasoning',
  id: `rs_${id}`,
  summary: [{ type: 'summary_text', text: 'Weighing it.' }],
  content: [{ type: 'reasoning_text', text: 'Thinking.' }],
  encrypted_content: 'c2VhbGVk',
  status: 'completed',
});
const message = (id: number, text: string, phase: 'commentary' | 'final_answer'): Item => ({
  type: 'message',
  id: `msg_${id}`,
  role: 'assistant',
  status: 'completed',
  phase,
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});
const functionCall = (id: number, name: string, args: unknown): Item => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: `call_${id}`,
  name,
  arguments: JSON.stringify(args),
  status: 'completed',
});
const customCall = (id: number, name: string, input: string): Item => ({
  type: 'custom_tool_call',
  id: `ctc_${id}`,
  call_id: `call_${id}`,
  name,
  input,
  status: 'completed',
});
const patch = '*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+two\n*** End Patch';
const plan = { plan: [{ step: 'Look', status: 'in_progress' }] };
const compaction: Item = { type: 'compaction', id: 'cmp_1', encrypted_content: 'c2VhbGVk' };
const last = message(9, JSON.stringify({ title: 't', summary: 's' }), 'final_answer');
/** More than any model's context, so that the next request is one for a compaction. */
const overflowing = 5_000_000;

/** What the turn begins with, and what it looks at again. */
export const pixel = png(1, 1);

/** The two ways in which Codex offers tools to models, each with the calls of its dialect. */
export const dialects = [
  {
    name: 'tools-as-input',
    model: 'gpt-6.1-sol',
    replies: [
      {
        items: [
          reasoning(1),
          message(1, 'I look.', 'commentary'),
          customCall(1, 'exec', 'text(await tools.exec_command({"cmd":"cat a.txt; exit 3"}));'),
        ],
      },
      { items: [customCall(2, 'exec', 'image(await tools.view_image({"path":"pixel.png"}));')] },
      {
        items: [
          reasoning(3),
          customCall(3, 'exec', `text(await tools.update_plan(${JSON.stringify(plan)}));`),
        ],
      },
      {
        items: [customCall(4, 'exec', `text(await tools.apply_patch(${JSON.stringify(patch)}));`)],
        totalTokens: overflowing,
      },
      { items: [compaction] },
      { items: [customCall(5, 'exec', 'throw new Error("no");')] },
      { items: [last] },
    ],
  },
  {
    name: 'tools-at-top-level',
    model: 'gpt-5.5',
    replies: [
      {
        items: [
          reasoning(1),
          message(1, 'I look.', 'commentary'),
          functionCall(1, 'exec_command', { cmd: 'cat a.txt; exit 3' }),
        ],
      },
      { items: [functionCall(2, 'view_image', { path: 'pixel.png' })] },
      { items: [reasoning(3), functionCall(3, 'update_plan', plan), customCall(31, 'apply_patch', patch)] },
      { items: [functionCall(4, 'no_such_tool', {})], totalTokens: overflowing },
      { items: [compaction] },
      { items: [functionCall(5, 'exec_command', { cmd: 'cat a.txt' })] },
      { items: [last] },
    ],
  },
] as const satisfies readonly { name: string; model: string; replies: readonly Reply[] }[];

/** Runs one turn of the pinned Codex and ends its server and Codex. Takes a few seconds. */
export async function recordTurn(model: string, replies: readonly Reply[]): Promise<readonly CodexRequest[]> {
  const requests: CodexRequest[] = [];
  const server = createServer((incoming, response) => {
    readBody(incoming).then(
      (bytes) => {
        const body = bytes.toString('utf8');
        const { authorization: _, ...headers } = incoming.headersDistinct;
        const flat = Object.fromEntries(
          Object.entries(headers).map(([name, values]) => [name, (values ?? []).join(', ')]),
        );
        const reply: Reply = replies[requests.length] ?? { items: [last] };
        requests.push({ method: incoming.method ?? '', path: incoming.url ?? '', headers: flat, body });
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(eventsOf(requests.length, reply));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const run = runDriver({
      baseUrl: `http://127.0.0.1:${port}/v1`,
      model,
      files: {
        'a.txt': 'one\n',
        'AGENTS.md': 'Be brief.\n',
        '.agents/skills/tidy/SKILL.md': '---\nname: tidy\ndescription: Tidies up.\n---\nTidy up.\n',
      },
      images: ['pixel.png'],
      prepare: (codexHome) => writeFileSync(join(codexHome, '../../repo/pixel.png'), pixel),
    });
    if ((await run.exitCode) !== 0)
      throw new Error(`Codex did not end well: ${run.stderr()}\n${run.lines().slice(-3).join('\n')}`);
    const here = run.repository.slice(0, -'/repo'.length);
    return requests.map((request) => ({ ...request, body: request.body.replaceAll(here, '/workspace') }));
  } finally {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

function eventsOf(number: number, { items, totalTokens = 100 }: Reply): string {
  const usage = {
    input_tokens: totalTokens - 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 10,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: totalTokens,
  };
  const id = `resp_${number}`;
  return [
    { type: 'response.created', response: { id } },
    ...items.map((item, index) => ({ type: 'response.output_item.done', output_index: index, item })),
    { type: 'response.completed', response: { id, usage } },
  ]
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('');
}
