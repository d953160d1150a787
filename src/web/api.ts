/**
 * The HTTP API: start a task, read it, follow it, cancel it, fetch its change, publish it. Verifies, parses
 * and persists; the Workflow does everything slower.
 */
import { Hono } from 'hono';
import * as z from 'zod';
import { apiTaskId, parseRepositoryRef, shortIdOf } from '../core/ids.ts';
import type { Approval } from '../core/authorization.ts';
import type { TaskView } from '../core/task-view.ts';
import { standingText } from '../core/task-words.ts';
import { taskOptionsSchema, type RepositoryRef, type TaskRequest } from '../core/task.ts';
import { checkBearer } from './access.ts';
import { bodyProblem, readJson } from './json-body.ts';

export interface ApiDeps {
  readonly apiToken: string | null;
  start(request: TaskRequest): Promise<'started' | 'exists'>;
  task(taskId: string): ApiTask;
  /** Starts another publication attempt for a kept change, or publishes a held one that a person approved. */
  retryPublication(
    taskId: string,
    approval: Approval | null,
  ): Promise<{ readonly started: true } | { readonly started: false; readonly reason: string }>;
  /** Resolves an alias of the configuration; null when there is no such alias. */
  repositoryByAlias(alias: string): RepositoryRef | null;
  now(): Date;
}
export interface ApiTask {
  view(): Promise<TaskView | null>;
  watch(afterSeq: number): Promise<ReadableStream<Uint8Array> | null>;
  cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }>;
  kept(name: string): Promise<string | null>;
}

const startSchema = z.strictObject({
  repository: z.string().min(1).max(200),
  instruction: z.string().trim().min(1).max(20_000),
  ...taskOptionsSchema.shape,
});
const publishSchema = z.strictObject({
  /** The hash of the held change that a person looked at and approves. */
  approve: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
const taskIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const seqSchema = z.coerce.number().int().nonnegative().catch(0);
/** An instruction of 20,000 characters, each escaped as \uXXXX, and the other fields. */
const maxBodyBytes = 128 * 1024;

const problem = (code: string, message: string) => ({ error: { code, message } });

export function apiRoutes(deps: ApiDeps): Hono {
  const api = new Hono();

  api.use(async (c, next) => {
    const access = await checkBearer(c.req.header('authorization') ?? null, deps.apiToken);
    if (access === 'granted') return await next();
    if (access === 'disabled')
      return c.json(
        problem('api-disabled', 'The API is off: set API_TOKEN to a secret of at least 16 characters.'),
        403,
      );
    c.header('www-authenticate', 'Bearer realm="airlock"');
    return c.json(problem('unauthorized', 'Send the API token as `Authorization: Bearer …`.'), 401);
  });

  api.post('/', async (c) => {
    const body = await readJson(c.req.raw, maxBodyBytes);
    if (body.kind !== 'json') return c.json(...bodyProblem(body.kind, maxBodyBytes));
    const { untrusted } = body;
    if (untrusted === undefined) return c.json(problem('not-json', 'The body has to be JSON.'), 400);
    const parsed = startSchema.safeParse(untrusted);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return c.json(
        problem('invalid', `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'is invalid'}`),
        400,
      );
    }
    const { repository: written, instruction, ...options } = parsed.data;
    const repository = parseRepositoryRef(written) ?? deps.repositoryByAlias(written);
    if (repository === null)
      return c.json(
        problem(
          'repository',
          `${JSON.stringify(written)} is neither owner/name nor an alias of the configuration.`,
        ),
        400,
      );
    const idempotencyKey = c.req.header('idempotency-key');
    const taskId = await apiTaskId(
      idempotencyKey === undefined ? { uuid: crypto.randomUUID() } : { idempotencyKey },
    );
    const request: TaskRequest = {
      taskId,
      shortId: await shortIdOf(taskId),
      acceptedAt: deps.now().toISOString(),
      repository,
      trigger: { kind: 'api' },
      requester: null,
      ask: { kind: 'run' },
      instruction,
      options,
    };
    const started = await deps.start(request);
    return c.json({ taskId, created: started === 'started', url: `/api/tasks/${taskId}` }, 202);
  });

  api.get('/:id', async (c) => {
    const view = await known(c.req.param('id'))?.view();
    return view == null ? c.json(noSuchTask, 404) : c.json({ ...view, phaseText: standingText(view) });
  });

  api.get('/:id/events', async (c) => {
    const after = seqSchema.parse(c.req.header('last-event-id') ?? c.req.query('after') ?? 0);
    const stream = await known(c.req.param('id'))?.watch(after);
    if (stream == null) return c.json(noSuchTask, 404);
    return c.body(stream, 200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
  });

  api.get('/:id/change', async (c) => {
    const change = await known(c.req.param('id'))?.kept('change.ndjson');
    if (change == null) return c.json(problem('no-change', 'No change is kept for this task.'), 404);
    return c.body(change, 200, {
      'content-type': 'application/x-ndjson',
      'content-disposition': 'attachment; filename="change.ndjson"',
    });
  });

  api.post('/:id/cancel', async (c) => {
    const task = known(c.req.param('id'));
    if ((await task?.view()) == null || task === null) return c.json(noSuchTask, 404);
    const { cancelled, reason } = await task.cancel('the API');
    return c.json({ cancelled, reason }, cancelled ? 202 : 409);
  });

  api.post('/:id/publish', async (c) => {
    const id = c.req.param('id');
    if ((await known(id)?.view()) == null) return c.json(noSuchTask, 404);
    const body = await readJson(c.req.raw, 1024);
    if (body.kind !== 'json') return c.json(...bodyProblem(body.kind, 1024));
    // No body approves nothing.
    const parsed = publishSchema.safeParse(body.untrusted ?? {});
    if (!parsed.success)
      return c.json(
        problem('invalid', 'approve: has to be the `changeHash` that the held task’s outcome names.'),
        400,
      );
    const { approve } = parsed.data;
    const again = await deps.retryPublication(
      id,
      approve === undefined ? null : { by: 'the API', changeHash: approve },
    );
    return again.started
      ? c.json({ started: true }, 202)
      : c.json(problem('not-publishable', again.reason), 409);
  });

  const noSuchTask = problem('no-such-task', 'There is no task with this id.');
  /** Null for text that cannot be an id, so that asking for it creates no record. */
  const known = (id: string): ApiTask | null => (taskIdSchema.safeParse(id).success ? deps.task(id) : null);
  return api;
}
