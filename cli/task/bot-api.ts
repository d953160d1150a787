/** Calls the HTTP API of a running bot for a command. A refusal becomes one sentence with its remedy. */
import { z } from 'zod';
import { readDevVars } from '../../host/environment.ts';
import { openStates } from '../../src/core/open-task.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import type { TaskOutcome } from '../../src/core/task.ts';
import { parseJson } from '../../src/lib/parse-json.ts';
import { ledgerPageSchema, maxPage, type LedgerRowJson } from '../../src/web/ledger-page.ts';
import { originOf } from '../command/option-values.ts';

const callMs = 15_000;
const startedSchema = z.object({ taskId: z.string() });
const problemSchema = z.object({ error: z.object({ message: z.string() }) });
/** Checks only the envelope, because the bot has the same version as this code. */
const outcomeSchema = z.custom<TaskOutcome>(
  (value) => z.looseObject({ kind: z.string() }).safeParse(value).success,
);
const listedSchema = z.object({
  taskId: z.string(),
  phaseText: z.string(),
  repository: z.object({ owner: z.string(), name: z.string() }).nullable(),
  acceptedAt: z.string(),
  instruction: z.string(),
  outcome: outcomeSchema.nullable(),
});
export type ListedTask = z.infer<typeof listedSchema>;
const listSchema = z.object({ tasks: z.array(listedSchema) });
const viewSchema = z.custom<Pick<TaskView, 'receipt' | 'setup'>>(
  (value) =>
    z
      .looseObject({
        setup: z.looseObject({ status: z.string() }).nullable(),
        receipt: z.looseObject({
          hosts: z.array(z.unknown()),
          denied: z.array(z.unknown()),
          failed: z.array(z.unknown()),
        }),
      })
      .safeParse(value).success,
);

const openTaskSchema = z.object({
  shortId: z.string(),
  state: z.enum(openStates),
  phaseText: z.string(),
  repository: z.object({ owner: z.string(), name: z.string() }).nullable(),
  origin: z.enum(['github', 'slack', 'api']),
  issueNumber: z.number().nullable(),
  requester: z.string().nullable(),
  acceptedAt: z.string(),
});
export type OpenTask = z.infer<typeof openTaskSchema>;
const openListSchema = z.object({ tasks: z.array(openTaskSchema) });

export interface BotApi {
  readonly url: string;
  readonly apiToken: string;
}

/** `url`: as the person gave it; default: this machine. Rejects without an `API_TOKEN`. */
export async function botOf(url: string | undefined): Promise<BotApi> {
  const environment = { ...(await readDevVars()), ...process.env };
  const apiToken = environment['API_TOKEN']?.trim();
  if (apiToken === undefined || apiToken === '')
    throw new Error(
      'API_TOKEN is missing. Set it to the bot’s API_TOKEN, in the environment or in .dev.vars.',
    );
  return { apiToken, url: originOf(url ?? `http://127.0.0.1:${environment['PORT']?.trim() || 8787}`) };
}

/** What runs, waits or is held. The running ones are complete; of the others the newest. */
export async function listOpenTasks(bot: BotApi): Promise<{ raw: unknown; tasks: readonly OpenTask[] }> {
  const raw = await call(bot, 'GET', '?state=open&limit=100');
  return { raw, tasks: openListSchema.parse(raw).tasks };
}

export async function startTask(bot: BotApi, order: object): Promise<string> {
  return startedSchema.parse(await call(bot, 'POST', '', order)).taskId;
}

/** `raw` is the answer as the bot gave it, for `--json`. */
export async function listTasks(bot: BotApi): Promise<{ raw: unknown; tasks: readonly ListedTask[] }> {
  const raw = await call(bot, 'GET', '');
  return { raw, tasks: listSchema.parse(raw).tasks };
}

export async function readTask(
  bot: BotApi,
  taskId: string,
): Promise<{ raw: unknown; task: ListedTask & Pick<TaskView, 'receipt' | 'setup'> }> {
  const raw = await call(bot, 'GET', `/${taskId}`);
  return { raw, task: { ...listedSchema.parse(raw), ...viewSchema.parse(raw) } };
}

export async function cancelTask(bot: BotApi, taskId: string): Promise<void> {
  await call(bot, 'POST', `/${taskId}/cancel`);
}

/** All rows of the ledger that match, newest first, page by page. */
export async function readLedger(
  bot: BotApi,
  filters: Readonly<Record<string, string | undefined>>,
): Promise<readonly LedgerRowJson[]> {
  const rows: LedgerRowJson[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const query = new URLSearchParams({ cursor, limit: String(maxPage) });
    for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, value);
    const page: z.infer<typeof ledgerPageSchema> = ledgerPageSchema.parse(
      await call(bot, 'GET', `?${query.toString()}`),
    );
    rows.push(...page.tasks);
    cursor = page.next;
  }
  return rows;
}

async function call(
  { url, apiToken }: BotApi,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${url}/api/tasks${path}`, {
    method,
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(callMs),
  }).catch(() => null);
  if (response === null)
    throw new Error(`No bot answers at ${url}. Start it with npm start, or give its address with --url.`);
  if (response.status === 401)
    throw new Error(
      `The bot at ${url} does not accept this API_TOKEN. Set the one that the bot was started with.`,
    );
  const answer = parseJson(await response.text());
  if (response.ok) return answer;
  throw new Error(
    problemSchema.safeParse(answer).data?.error.message ?? `The bot answered ${response.status}.`,
  );
}
