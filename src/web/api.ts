/** The HTTP API for tasks (`docs/api.md`): verifies, parses and persists; the Workflow does the rest. */
import { Hono, type Context } from 'hono';
import * as z from 'zod';
import { apiTaskId, parseRepositoryRef, shortIdOf } from '../core/ids.ts';
import type { Approval } from '../core/authorization.ts';
import { openTaskOf } from '../core/open-task.ts';
import type { LedgerQuery, LedgerRow } from '../core/ledger.ts';
import type { TaskView } from '../core/task-view.ts';
import { standingText } from '../core/task-words.ts';
import { reasonOfEnd } from '../core/reason.ts';
import { taskIdSchema, type Reason, type RepositoryRef, type TaskRequest } from '../core/task.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { headOf } from '../lib/cut-text.ts';
import { publishSchema, startSchema } from './api-requests.ts';
import { checkBearer, refusedAccess } from './access.ts';
import { bodyProblem, readJson } from './json-body.ts';
import { allowOnly, problem } from './problem.ts';

export interface ApiDeps {
  readonly apiToken: string | null;
  /** Only lists tasks. Null: there is none. */
  readonly readToken: string | null;
  start(request: TaskRequest): Promise<'started' | 'exists'>;
  /** Ids of the accepted tasks, those with a slot first, then those that wait for one, each newest first. */
  recent(limit: number): Promise<readonly string[]>;
  /** What the ledger has, newest first. */
  ledger(query: LedgerQuery): Promise<readonly LedgerRow[]>;
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
  snapshot(): Promise<{ readonly request: TaskRequest } | null>;
  view(): Promise<TaskView | null>;
  watch(afterSeq: number): Promise<ReadableStream<Uint8Array> | null>;
  cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }>;
  kept(name: string): Promise<string | null>;
}

const [defaultListed, maxListed, readAtOnce, maxListedCharacters] = [20, 100, 10, 200];
const limitSchema = z.coerce.number().int().min(1).max(maxListed);
const seqSchema = z.coerce.number().int().nonnegative().catch(0);
/** An instruction of 20,000 characters, each escaped as \uXXXX, and the other fields. */
const maxBodyBytes = 128 * 1024;

export function apiRoutes(deps: ApiDeps): Hono {
  const api = new Hono();

  const mayList = async (c: Context): Promise<boolean> =>
    (await checkBearer(c.req.header('authorization') ?? null, deps.readToken)) === 'granted';
  api.get('/', async (c, next) => ((await mayList(c)) ? await list(c) : await next()));

  api.use(async (c, next) => (await refusedAccess(c, deps.apiToken)) ?? (await next()));

  api.post('/', async (c) => {
    const body = await readJson(c.req.raw, maxBodyBytes);
    if (body.kind !== 'json') return bodyProblem(c, body.kind, maxBodyBytes);
    const { untrusted } = body;
    if (untrusted === undefined) return problem(c, 400, 'not-json', 'The body has to be JSON.');
    const parsed = startSchema.safeParse(untrusted);
    if (!parsed.success) return invalid(c, parsed.error, 'body');
    const { repository: written, instruction, ...options } = parsed.data;
    const repository = parseRepositoryRef(written) ?? deps.repositoryByAlias(written);
    if (repository === null)
      return problem(
        c,
        400,
        'repository',
        `${JSON.stringify(written)} is neither owner/name nor an alias of the configuration.`,
      );
    const idempotencyKey = c.req.header('idempotency-key');
    if (idempotencyKey !== undefined && !/^.{1,255}$/.test(idempotencyKey))
      return problem(c, 400, 'idempotency-key', 'Idempotency-Key has to have 1 to 255 characters.');
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
    const isReused = async () => {
      const known = idempotencyKey === undefined ? null : await deps.task(taskId).snapshot();
      return known !== null && !isSameAsk(known.request, request);
    };
    // Asks before the start, which completes a task that was interrupted between its record and its
    // Workflow, and after it, because another request can have been faster.
    let isClash = await isReused();
    const created = !isClash && (await deps.start(request)) === 'started';
    if (!isClash && !created) isClash = await isReused();
    if (isClash)
      return problem(
        c,
        422,
        'idempotency-key-reused',
        `This Idempotency-Key belongs to task ${taskId}, which was asked for something else.`,
      );
    const url = `/api/tasks/${taskId}`;
    c.header('location', url);
    return c.json({ taskId, created, url }, 202);
  });

  api.get('/', async (c) => await list(c));

  async function list(c: Context): Promise<Response> {
    const asked = c.req.query();
    // What runs, waits or is held, among the tasks that the limit lets look at.
    if (asked['state'] === 'open') return await listRecords(c, openTaskOf);
    const isFiltered = Object.keys(asked).some((key) => key !== 'limit');
    return isFiltered ? await listLedger(c) : await listRecords(c, summaryOf);
  }

  async function listLedger(c: Context): Promise<Response> {
    const { ledgerPage, ledgerQueryOf, ledgerQuerySchema } = await import('./ledger-page.ts');
    const query = ledgerQuerySchema.safeParse(c.req.query());
    if (!query.success) return invalid(c, query.error, 'query');
    return c.json(ledgerPage(await deps.ledger(ledgerQueryOf(query.data)), query.data.limit));
  }

  async function listRecords(
    c: Context,
    shown: (view: TaskView, maxCharacters: number) => object | null,
  ): Promise<Response> {
    const limit = limitSchema.safeParse(c.req.query('limit') ?? defaultListed);
    if (!limit.success)
      return problem(c, 400, 'invalid', `limit: has to be a number from 1 to ${maxListed}.`);
    const ids = await deps.recent(limit.data);
    const tasks = await boundedAll(ids, readAtOnce, async (id) => {
      const view = await deps.task(id).view();
      return view === null ? null : shown(view, maxListedCharacters);
    });
    return c.json({ tasks: tasks.filter((task) => task !== null) });
  }

  api.get('/:id', async (c) => {
    const view = await known(c.req.param('id'))?.view();
    return view == null
      ? noSuchTask(c)
      : c.json({ ...view, phaseText: standingText(view), reason: endReason(view) });
  });

  api.get('/:id/events', async (c) => {
    const after = seqSchema.parse(c.req.header('last-event-id') ?? c.req.query('after') ?? 0);
    const stream = await known(c.req.param('id'))?.watch(after);
    if (stream == null) return noSuchTask(c);
    return c.body(stream, 200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
  });

  api.get('/:id/change', async (c) => {
    const change = await known(c.req.param('id'))?.kept('change.ndjson');
    if (change == null) return problem(c, 404, 'no-change', 'No change is kept for this task.');
    return c.body(change, 200, {
      'content-type': 'application/x-ndjson',
      'content-disposition': 'attachment; filename="change.ndjson"',
    });
  });

  api.post('/:id/cancel', async (c) => {
    const task = known(c.req.param('id'));
    if ((await task?.view()) == null || task === null) return noSuchTask(c);
    const { cancelled, reason } = await task.cancel('the API');
    return cancelled ? c.json({ cancelled, reason }, 202) : problem(c, 409, 'not-cancellable', reason);
  });

  api.post('/:id/publish', async (c) => {
    const id = c.req.param('id');
    if ((await known(id)?.view()) == null) return noSuchTask(c);
    const body = await readJson(c.req.raw, 1024);
    if (body.kind !== 'json') return bodyProblem(c, body.kind, 1024);
    // No body approves nothing.
    const parsed = publishSchema.safeParse(body.untrusted ?? {});
    if (!parsed.success)
      return problem(
        c,
        400,
        'invalid',
        'approve: has to be the `changeHash` that the held task’s outcome names.',
      );
    const { approve } = parsed.data;
    const again = await deps.retryPublication(
      id,
      approve === undefined ? null : { by: 'the API', changeHash: approve },
    );
    return again.started ? c.json({ started: true }, 202) : problem(c, 409, 'not-publishable', again.reason);
  });

  allowOnly(api, '/', 'GET, POST');
  for (const read of ['/:id', '/:id/events', '/:id/change']) allowOnly(api, read, 'GET');
  for (const action of ['/:id/cancel', '/:id/publish']) allowOnly(api, action, 'POST');

  /** Null for text that cannot be an id, so that asking for it creates no record. */
  const known = (id: string): ApiTask | null => (taskIdSchema.safeParse(id).success ? deps.task(id) : null);
  return api;
}

/** The first thing that is wrong. `whole`: what it is about if it names no part. */
function invalid(c: Context, { issues: [issue] }: z.ZodError, whole: string): Response {
  const where = issue?.path.join('.') || whole;
  return problem(c, 400, 'invalid', `${where}: ${issue?.message ?? 'is invalid'}`);
}

const endReason = ({ outcome }: TaskView): Reason | null => (outcome === null ? null : reasonOfEnd(outcome));

/** What a list says about a task. */
function summaryOf(view: TaskView, maxCharacters: number): object {
  const { taskId, shortId, status, phase, repository, requester, acceptedAt, endedAt, outcome } = view;
  const { instruction } = view;
  return {
    taskId,
    shortId,
    status,
    phase,
    phaseText: standingText(view),
    repository,
    requester,
    acceptedAt,
    endedAt,
    outcome,
    instruction: headOf(instruction, maxCharacters),
    url: `/api/tasks/${taskId}`,
  };
}

const noSuchTask = (c: Context): Response =>
  problem(c, 404, 'no-such-task', 'There is no task with this id.');

/** Whether two requests with one Idempotency-Key ask for the same. */
function isSameAsk(known: TaskRequest, asked: TaskRequest): boolean {
  const essence = ({ repository, instruction, options: { base, model, effort } }: TaskRequest) =>
    JSON.stringify([
      repository?.owner.toLowerCase(),
      repository?.name.toLowerCase(),
      instruction,
      base,
      model,
      effort,
    ]);
  return essence(known) === essence(asked);
}
