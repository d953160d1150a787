/**
 * The sandbox host's HTTP contract without a sandbox. `PUT /script/:id/:run` sets a run's output, `GET
 * /calls/:id` lists the calls.
 */
import { Hono } from 'hono';

interface Run {
  output: string;
  exitCode: number | null;
}
interface Sandbox {
  readonly calls: string[];
  readonly runs: Map<string, Run>;
  destroyed: boolean;
}

export function scriptedSandboxHost(): (request: Request) => Promise<Response> {
  const sandboxes = new Map<string, Sandbox>();
  const waiting = new Set<() => void>();
  const sandboxOf = (id: string): Sandbox => {
    const known = sandboxes.get(id) ?? { calls: [], runs: new Map<string, Run>(), destroyed: false };
    sandboxes.set(id, known);
    return known;
  };
  const app = new Hono();

  app.put('/script/:id/:run', async (c) => {
    const { searchParams } = new URL(c.req.url);
    const exitCode = searchParams.get('exit');
    sandboxOf(c.req.param('id')).runs.set(c.req.param('run'), {
      output: await c.req.text(),
      exitCode: exitCode === null ? null : Number(exitCode),
    });
    for (const wake of waiting) wake();
    return c.body(null, 204);
  });
  app.get('/calls/:id', (c) => c.json(sandboxOf(c.req.param('id')).calls));

  app.use('/sandboxes/:id/*', async (c, next) => {
    const sandbox = sandboxOf(c.req.param('id'));
    if (sandbox.destroyed && c.req.method !== 'DELETE')
      return c.json({ problem: 'the sandbox was destroyed' }, 410);
    return await next();
  });
  app.get('/sandboxes/:id/runs/:run', async (c) => {
    const { calls, runs } = sandboxOf(c.req.param('id'));
    const offset = Number(c.req.query('offset'));
    calls.push(`read ${c.req.param('run')} from ${offset}`);
    const run = () => runs.get(c.req.param('run')) ?? { output: '', exitCode: null };
    const isNews = () => run().exitCode !== null || Buffer.byteLength(run().output) > offset;
    const until = Date.now() + Number(c.req.query('waitMs'));
    while (!isNews() && Date.now() < until) await change(until - Date.now());
    const { output, exitCode } = run();
    const bytes = Buffer.from(output);
    c.header('x-size', String(bytes.byteLength));
    if (exitCode !== null) c.header('x-exit-code', String(exitCode));
    return c.body(new Uint8Array(bytes.subarray(offset, offset + Number(c.req.query('maxBytes')))));
  });
  app.delete('/sandboxes/:id', (c) => {
    const sandbox = sandboxOf(c.req.param('id'));
    sandbox.calls.push('destroy');
    sandbox.destroyed = true;
    for (const wake of waiting) wake();
    return c.body(null, 204);
  });
  app.post('/sandboxes/:id/start', (c) => {
    sandboxOf(c.req.param('id')).calls.push('start');
    return c.body(null, 204);
  });

  async function change(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      waiting.add(done);
    });
  }
  return async (request) => await app.fetch(request);
}
