/** The HTTP API as scripts use it, and `npm run task`, which is one of them. */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { projectRoot } from '../../host/project-root.ts';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import {
  api,
  follow,
  scriptsByName,
  splitBill,
  startFlow,
  untilNothingIsLeft,
  viewOf,
  type FlowWorld,
} from './ask.ts';

const answer = finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' });
const startedSchema = z.object({ taskId: z.string(), created: z.boolean(), url: z.string() });
const eventSchema = z.looseObject({ seq: z.number(), body: z.looseObject({ kind: z.string() }) });

let flow: FlowWorld;

beforeAll(async () => {
  flow = await startFlow({
    script: scriptsByName({
      mend: [applyPatch(splitBillPatch), answer],
      look: [shell('cat src/split.js'), answer],
      wait: [shell('sleep 600'), answer],
    }),
  });
});
afterAll(async () => await flow.close());

/** Sends a body as it is; `token: null` sends none. */
async function post(
  body: string,
  {
    token = flow.world.apiToken,
    headers = {},
  }: { token?: string | null; headers?: Record<string, string> } = {},
): Promise<Response> {
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  return await fetch(`${flow.world.bot.url}/api/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization, ...headers },
    body,
    signal: AbortSignal.timeout(120_000),
  });
}
const wanted = (repository: string, instruction: string, more: object = {}) =>
  JSON.stringify({ repository, instruction, ...more });

describe('the API', () => {
  it('says that it is there, to anybody', async () => {
    const response = await fetch(`${flow.world.bot.url}/healthz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ ok: true });
  });

  it.each([
    ['no token', null],
    ['a wrong token', 'x'.repeat(48)],
    ['the beginning of the token', '{start}'],
    ['an empty token', ''],
  ])('refuses %s, whatever is asked', async (_, given) => {
    const token = given === '{start}' ? flow.world.apiToken.slice(0, 20) : given;
    const response = await post(wanted('acme/split-bill', 'mend it [mend]'), { token });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    for (const path of ['', '/gh-1-c1', '/gh-1-c1/events', '/gh-1-c1/change'])
      expect((await fetch(`${flow.world.bot.url}/api/tasks${path}`, { headers })).status).toBe(401);
    expect(
      (await fetch(`${flow.world.bot.url}/api/tasks/gh-1-c1/cancel`, { method: 'POST', headers })).status,
    ).toBe(401);
  });

  it.each([
    ['no JSON', '{"repository": "acme/split-bill"', 400, 'not-json'],
    ['no body', '', 400, 'not-json'],
    ['a list', '[]', 400, 'invalid'],
    ['no instruction', '{"repository":"acme/split-bill"}', 400, 'invalid'],
    ['an instruction of spaces', wanted('acme/split-bill', '   '), 400, 'invalid'],
    ['an instruction that is too long', wanted('acme/split-bill', 'x'.repeat(20_001)), 400, 'invalid'],
    ['an unknown key', wanted('acme/split-bill', 'x', { token: 'x' }), 400, 'invalid'],
    ['an effort that does not exist', wanted('acme/split-bill', 'x', { effort: 'huge' }), 400, 'invalid'],
    ['an unknown alias', wanted('bil', 'x'), 400, 'repository'],
    ['a path for a repository', wanted('acme/../split-bill', 'x'), 400, 'repository'],
    ['a body that is too large', wanted('acme/split-bill', 'x'.repeat(200_000)), 413, 'too-large'],
  ])('refuses %s', async (_, body, status, code) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, message: expect.stringMatching(/\S/) } });
  });

  it.each([
    '/api/tasks/api-unknown',
    '/api/tasks/api-unknown/events',
    '/api/tasks/api-unknown/change',
    '/api/tasks/..%2f..',
    '/api/tasks/UPPER',
  ])('knows no task at %s', async (path) => {
    expect((await api(flow.world, path)).status).toBe(404);
  });

  it.each([
    '/cdn-cgi/local/scheduled',
    '/cdn-cgi/local/explorer',
    '/cdn-cgi/local/platform-proxy',
    '/cdn-cgi/mf/scheduled',
    '/cdn-cgi/handler/scheduled',
  ])('shows nothing that workerd’s tools have for developers at %s', async (path) => {
    const response = await api(flow.world, path, { headers: { host: 'localhost' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'not-found' } });
  });

  it('refuses in the task what the configuration does not allow', async () => {
    const { taskId } = startedSchema.parse(
      await (await post(wanted('acme/unlisted', 'mend it [mend]'))).json(),
    );
    await follow(flow.world, taskId);
    expect((await viewOf(flow.world, taskId)).outcome).toMatchObject({ kind: 'refused' });
    expect(flow.logged('sandbox.started')).toEqual([]);
  });
});

describe('a task that is started by its alias, twice under one Idempotency-Key', () => {
  let taskId: string;

  it('is accepted both times, as the same task', async () => {
    const headers = { 'idempotency-key': 'nightly-2026-11-21' };
    const answers = [];
    for (let times = 0; times < 2; times += 1) {
      const response = await post(wanted('bill', 'mend it [mend]'), { headers });
      expect(response.status).toBe(202);
      answers.push(startedSchema.parse(await response.json()));
    }
    taskId = answers[0]?.taskId ?? '';
    const url = `/api/tasks/${taskId}`;
    expect(answers).toEqual([
      { taskId, url, created: true },
      { taskId, url, created: false },
    ]);
  });

  it('runs one task that makes one pull request, closes no issue and edits no comment', async () => {
    const events = await follow(flow.world, taskId);
    expect(events.at(-1)?.body).toMatchObject({ kind: 'ended', outcome: { kind: 'pull-request' } });
    const pulls = await flow.world.github.pulls(splitBill);
    expect(pulls).toHaveLength(1);
    expect(pulls[0]?.body).not.toContain('Closes');
    expect(pulls[0]?.body).toContain('Dependencies were not installed: no setup is configured.');
    expect(flow.logged('sandbox.started')).toHaveLength(1);
    expect(
      flow.world.github
        .requests()
        .filter(({ method, path }) => method === 'POST' && path.includes('/issues/')),
    ).toEqual([]);
  });

  it('tells its log from where a viewer left off', async () => {
    const all = await follow(flow.world, taskId);
    const resume = async (lastEventId: string) => {
      const response = await api(flow.world, `/api/tasks/${taskId}/events`, {
        headers: { 'last-event-id': lastEventId },
      });
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      const text = await response.text();
      return [...text.matchAll(/^data: (.*)$/gm)].map(
        ([, data = '']) => eventSchema.parse(JSON.parse(data)).seq,
      );
    };
    const seqs = all.map(({ seq }) => seq);
    expect(seqs.length).toBeGreaterThan(10);
    expect(await resume('0')).toEqual(seqs);
    expect(await resume('5')).toEqual(seqs.filter((seq) => seq > 5));
    expect(await resume(String(seqs.at(-1)))).toEqual([]);
    expect(await resume('nonsense')).toEqual(seqs);
  });

  it('keeps its change, which the API returns', async () => {
    const change = await (await api(flow.world, `/api/tasks/${taskId}/change`)).text();
    expect(change).toContain('"path":"src/split.js"');
  });
});

describe('npm run task', () => {
  const run = promisify(execFile);
  const taskEnvironment = (env: Record<string, string> = {}) => ({
    PATH: process.env['PATH'],
    PORT: new URL(flow.world.bot.url).port,
    API_TOKEN: flow.world.apiToken,
    NO_COLOR: '1',
    ...env,
  });
  async function taskCommand(
    args: readonly string[],
    env: Record<string, string> = {},
    program = 'task.ts',
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const options = { cwd: projectRoot, timeout: 300_000, env: taskEnvironment(env) };
    return await run(process.execPath, [join(projectRoot, 'cli', program), ...args], options).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: unknown) => z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }).parse(error),
    );
  }

  it('follows a task to its pull request and exits with 0', async () => {
    const { code, stdout, stderr } = await taskCommand(['bill', 'mend', 'it', '[mend]']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const [pull] = (await flow.world.github.pulls(splitBill)).toSorted(
      (one, other) => other.number - one.number,
    );
    expect(stdout).toContain(pull?.url);
  });

  it('only starts the task with --detach, and prints one JSON document a line with --json', async () => {
    const started = await taskCommand(['acme/split-bill', 'look at it [look]', '--detach']);
    expect(started.code).toBe(0);
    const taskId = started.stdout.trim();
    const { code, stdout } = await taskCommand(['follow', taskId, '--json']);
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => eventSchema.parse(JSON.parse(line)));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.body).toMatchObject({ kind: 'ended', outcome: { kind: 'no-change' } });
    expect((await viewOf(flow.world, taskId)).outcome).toMatchObject({ kind: 'no-change' });
  });

  it('stops following at Ctrl-C without a terminal, and lists, shows and cancels the task', async () => {
    const { stdout } = await taskCommand(['acme/split-bill', 'wait for it [wait]', '--detach']);
    const taskId = stdout.trim();
    const following = spawn(process.execPath, [join(projectRoot, 'cli', 'task.ts'), 'follow', taskId], {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: taskEnvironment(),
    });
    let errors = '';
    following.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    following.stdout.once('data', () => following.kill('SIGINT'));
    expect(await new Promise((resolve) => following.once('close', resolve))).toBe(130);
    expect(errors).toContain(`npm run task -- cancel ${taskId}`);

    expect((await taskCommand(['list'])).stdout).toContain(`${taskId}  `);
    expect((await taskCommand([], {}, 'tasks.ts')).stdout).toMatch(
      /^\w{8} +(?:waiting|running) .* acme\/split-bill from the API .*\n(?:\d \w+, ){2}0 held\.\n$/m,
    );
    expect((await taskCommand(['cancel', taskId])).stdout).toBe('Cancelled.\n');
    await follow(flow.world, taskId);
    const shown = await taskCommand(['status', taskId, '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ taskId, outcome: { kind: 'cancelled' } });
  });

  it.each<[what: string, args: readonly string[], env: Record<string, string>, code: number, words: RegExp]>([
    ['the task is refused', ['acme/unlisted', 'mend it [mend]'], {}, 1, /^$/],
    ['the repository is unknown', ['bil', 'mend it [mend]'], {}, 1, /neither owner\/name nor an alias/],
    ['the token is wrong', ['bill', 'mend it [mend]'], { API_TOKEN: 'wrong-wrong-wrong' }, 1, /API_TOKEN/],
    ['the task is unknown', ['cancel', 'api-unknown'], {}, 1, /no task with this id/],
    ['nothing is asked', ['bill'], {}, 2, /what to do/],
    [
      'no bot is there',
      ['bill', 'mend it [mend]', '--url', 'http://127.0.0.1:1'],
      {},
      1,
      /No bot answers at http:\/\/127\.0\.0\.1:1/,
    ],
  ])('exits with a status and a sentence when %s', async (_, args, env, expected, words) => {
    const { code, stderr } = await taskCommand(args, env);
    expect(code).toBe(expected);
    expect(stderr).toMatch(words);
  });

  it('leaves nothing running', async () => {
    await untilNothingIsLeft(flow);
    expect(flow.world.bot.sandboxes()).toEqual([]);
  });
});
