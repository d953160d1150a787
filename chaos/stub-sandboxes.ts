/**
 * The sandbox host's HTTP contract (`host/sandbox/routes.ts`) with sandboxes that do nothing for a while and
 * change nothing. They outlive the Worker, and count how many run at a time.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Hono } from 'hono';
import * as z from 'zod';
import { workerLine, type Bot, type BotOptions } from '../host/bot.ts';
import { buildWorker } from '../host/build-worker.ts';
import { reserveEgress, startWorker } from '../host/worker-host.ts';
import { localSandboxes } from '../src/sandbox/local.ts';

interface Stub {
  readonly startedAt: number;
  readonly files: Map<string, string>;
  readonly runs: Map<string, { readonly startedAt: number }>;
  repository: string | null;
  endedAt: number | null;
}

export interface StubSandboxes {
  readonly handle: (request: Request) => Promise<Response>;
  /** Ids in the order in which they were started. */
  readonly started: () => readonly string[];
  readonly running: () => readonly string[];
  /** The most that were there at the same time. */
  readonly most: () => number;
  /** The same for one repository, as far as clones tell. */
  readonly mostOf: (repository: string) => number;
  /** Starts of an id that had been started and destroyed before: the Worker has to know better. */
  readonly startedAgain: () => number;
}

const cloneJob = z.looseObject({ url: z.url(), sha: z.string() });
const collectJob = z.looseObject({ base: z.string() });
const execBody = z.looseObject({ command: z.looseObject({ argv: z.array(z.string()) }) });

export async function stubSandboxes(options: {
  /** How long Codex takes, by the how-manieth sandbox it is. */
  readonly holdMs: (index: number) => number;
}): Promise<StubSandboxes> {
  const transcript = await readFile(
    join(import.meta.dirname, '../test/codex/fixtures/completed.jsonl'),
    'utf8',
  );
  const stubs = new Map<string, Stub>();
  const order: string[] = [];
  let most = 0;
  let startedAgain = 0;
  const mostOf = new Map<string, number>();
  const isRunning = ({ endedAt }: Stub) => endedAt === null;
  const running = () => [...stubs].filter(([, stub]) => isRunning(stub)).map(([id]) => id);
  const lost = { problem: 'the sandbox was destroyed' };

  const jobOf = (stub: Stub, name: string): unknown => {
    const path = [...stub.files.keys()].find((written) => written.endsWith(`/${name}.json`));
    return JSON.parse(stub.files.get(path ?? '') ?? 'null');
  };
  const outputOf = (stub: Stub, run: string, index: number): { text: string; over: boolean } => {
    if (run === 'collect') {
      const { base } = collectJob.parse(jobOf(stub, 'collect'));
      const end = { type: 'end', base, entries: 0, links: [], diskFull: false };
      return { text: `${JSON.stringify(end)}\n`, over: true };
    }
    const since = stub.runs.get(run)?.startedAt ?? Date.now();
    const over = Date.now() - since >= options.holdMs(index);
    return { text: over ? transcript : '', over };
  };

  const app = new Hono();
  app.post('/sandboxes/:id/start', (c) => {
    const id = c.req.param('id');
    const known = stubs.get(id);
    if (known !== undefined && !isRunning(known)) {
      startedAgain += 1;
      return c.json(lost, 410);
    }
    if (known === undefined) {
      stubs.set(id, {
        startedAt: Date.now(),
        files: new Map(),
        runs: new Map(),
        repository: null,
        endedAt: null,
      });
      order.push(id);
      most = Math.max(most, running().length);
    }
    return c.body(null, 204);
  });
  app.delete('/sandboxes/:id', (c) => {
    const stub = stubs.get(c.req.param('id'));
    if (stub !== undefined) stub.endedAt ??= Date.now();
    return c.body(null, 204);
  });
  app.put('/sandboxes/:id/file', async (c) => {
    const stub = stubs.get(c.req.param('id'));
    if (stub === undefined || !isRunning(stub)) return c.json(lost, 410);
    stub.files.set(c.req.query('path') ?? '', await c.req.text());
    return c.body(null, 204);
  });
  app.get('/sandboxes/:id/file', (c) => c.body(null, 204));
  app.post('/sandboxes/:id/exec', async (c) => {
    const stub = stubs.get(c.req.param('id'));
    if (stub === undefined || !isRunning(stub)) return c.json(lost, 410);
    const { argv } = execBody.parse(await c.req.json()).command;
    const say = (said: unknown) =>
      c.json({ exitCode: 0, stdout: JSON.stringify(said), stderr: '', truncated: false, timedOut: false });
    if (argv.some((word) => word.endsWith('canary.js')))
      return say({ probes: [{ name: 'a stub', result: 'expected', got: 'refused' }] });
    const { url, sha } = cloneJob.parse(jobOf(stub, 'clone'));
    const repository = new URL(url).pathname.replace(/^\/|(?:\.git)?$/g, '');
    stub.repository = repository;
    const now = [...stubs.values()].filter((other) => isRunning(other) && other.repository === repository);
    mostOf.set(repository, Math.max(mostOf.get(repository) ?? 0, now.length));
    return say({ ok: true, sha, found: false, elapsedMs: 1 });
  });
  app.post('/sandboxes/:id/runs/:run', (c) => {
    const stub = stubs.get(c.req.param('id'));
    if (stub === undefined || !isRunning(stub)) return c.json(lost, 410);
    const run = c.req.param('run');
    if (!stub.runs.has(run)) stub.runs.set(run, { startedAt: Date.now() });
    return c.body(null, 204);
  });
  app.get('/sandboxes/:id/runs/:run', async (c) => {
    const id = c.req.param('id');
    const stub = stubs.get(id);
    if (stub === undefined || !isRunning(stub)) return c.json(lost, 410);
    const index = order.indexOf(id);
    const until = Date.now() + Number(c.req.query('waitMs') ?? 0);
    let output = outputOf(stub, c.req.param('run'), index);
    while (!output.over && isRunning(stub) && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      output = outputOf(stub, c.req.param('run'), index);
    }
    const bytes = new TextEncoder().encode(output.text);
    c.header('x-size', String(bytes.byteLength));
    if (output.over) c.header('x-exit-code', '0');
    const offset = Number(c.req.query('offset') ?? 0);
    return c.body(bytes.slice(offset, offset + Number(c.req.query('maxBytes') ?? 0)));
  });

  return {
    handle: async (request) => await app.fetch(request),
    started: () => order,
    running,
    most: () => most,
    mostOf: (repository) => mostOf.get(repository) ?? 0,
    startedAgain: () => startedAgain,
  };
}

/** The bot of `host/bot.ts` with these sandboxes, and the real Worker, Workflows and Durable Objects. */
export async function startBotWith(sandboxes: StubSandboxes, options: BotOptions): Promise<Bot> {
  const [bundle, egress] = await Promise.all([buildWorker(options.progress), reserveEgress()]);
  const worker = await startWorker(
    {
      bundle,
      stateDir: options.stateDir,
      hostname: options.hostname,
      port: options.port,
      bindings: { ...options.settings, AIRLOCK_CONFIG_TEXT: options.configText },
      sandboxHost: sandboxes.handle,
      sweepEveryMs: 2_000,
      log: (level, message) => options.log(workerLine(level, message)),
    },
    egress,
  );
  return {
    url: worker.url,
    sandboxes: sandboxes.running,
    sandboxOf: (sandboxId) =>
      localSandboxes(
        { fetch: async (input, init) => await sandboxes.handle(new Request(input, init)) },
        () => sandboxId,
      ).get(sandboxId),
    stop: async () => await worker.dispose(),
  };
}
