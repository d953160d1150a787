/** `npm run task -- owner/repo "instruction"`: starts a task over the API of a running bot and follows it. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readDevVars } from '../host/environment.ts';
import type { TaskView } from '../src/core/task-view.ts';
import { followTask } from './terminal/follow-task.ts';
import { receiptLines } from './terminal/receipt-lines.ts';
import { taskPrinter } from './terminal/task-printer.ts';

const help = `npm run task -- owner/repo "instruction" [options]

Starts a task on a running Airlock (npm start) and prints its progress. Ctrl-C cancels the task.

  --base BRANCH      branch to start from (default: as configured)
  --model NAME       model, if the configuration allows it
  --effort LEVEL     minimal, low, medium, high or xhigh
  --url URL          address of the bot (http://127.0.0.1:$PORT, PORT 8787)
  --json             print events as JSON lines
  --detach           only start the task and print its id

Needs the API_TOKEN of the bot, from the environment or .dev.vars.
Exit status: 0 pull request, answer or nothing to change; 1 refused, failed or held; 130 cancelled.
`;

const started = z.object({ taskId: z.string() });
/** Checks only the envelope, because the bot has the same version as this code. */
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
const problem = z.object({ error: z.object({ message: z.string() }) });

async function main(): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        base: { type: 'string' },
        model: { type: 'string' },
        effort: { type: 'string' },
        url: { type: 'string' },
        json: { type: 'boolean' },
        detach: { type: 'boolean' },
      },
    });
  } catch (error) {
    return failWith(`${error instanceof Error ? error.message : String(error)}\nTry npm run task -- --help`);
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const [repository, ...words] = positionals;
  const instruction = words.join(' ');
  if (repository === undefined || instruction === '')
    return failWith('Name a repository and what to do: npm run task -- owner/repo "instruction"');
  const environment = { ...(await readDevVars()), ...process.env };
  const apiToken = environment['API_TOKEN'];
  if (apiToken === undefined || apiToken.trim() === '')
    return failWith(
      'API_TOKEN is missing. Set it to the bot’s API_TOKEN, in the environment or in .dev.vars.',
    );
  const url = (values.url ?? `http://127.0.0.1:${environment['PORT'] ?? 8787}`).replace(/\/$/, '');

  const headers = { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' };
  const { base, model, effort } = values;
  const response = await fetch(`${url}/api/tasks`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ repository, instruction, base, model, effort }),
    signal: AbortSignal.timeout(15_000),
  }).catch(() => null);
  if (response === null)
    return failWith(`No bot answers at ${url}. Start it with npm start, or give its address with --url.`);
  if (response.status === 401)
    return failWith(
      `The bot at ${url} does not accept this API_TOKEN. Set the one that the bot was started with.`,
    );
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const answer = problem.safeParse(body);
    return failWith(answer.success ? answer.data.error.message : `The bot answered ${response.status}.`);
  }
  const { taskId } = started.parse(body);
  if (values.detach === true) {
    process.stdout.write(`${values.json === true ? JSON.stringify({ taskId }) : taskId}\n`);
    return 0;
  }
  if (values.json !== true) process.stdout.write(`Task ${taskId}\n`);
  process.on('SIGINT', () => {
    process.stderr.write('\nCancelling …\n');
    void fetch(`${url}/api/tasks/${taskId}/cancel`, {
      method: 'POST',
      headers,
      signal: AbortSignal.timeout(15_000),
    }).catch(() => process.exit(130));
  });
  return await follow(url, apiToken, taskId, values.json === true);
}

async function follow(url: string, apiToken: string, taskId: string, json: boolean): Promise<number> {
  let printer: ReturnType<typeof taskPrinter> | null = null;
  try {
    for await (const event of followTask({ url, apiToken, taskId, patienceMs: 60_000 })) {
      printer ??= taskPrinter(event.at);
      if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
      else for (const line of printer(event)) process.stdout.write(`${line}\n`);
      if (event.body.kind !== 'ended') continue;
      if (!json) for (const line of await receiptOf(url, apiToken, taskId)) process.stdout.write(`${line}\n`);
      const { kind } = event.body.outcome;
      return kind === 'cancelled'
        ? 130
        : kind === 'pull-request' || kind === 'no-change' || kind === 'answered'
          ? 0
          : 1;
    }
  } catch (error) {
    return failWith(error instanceof Error ? error.message : String(error));
  }
  return failWith('The task’s log ended without an outcome. Check the bot’s log.');
}

/** Returns the receipt's lines; none if the bot does not answer, because the outcome is already printed. */
async function receiptOf(url: string, apiToken: string, taskId: string): Promise<string[]> {
  const answer = await fetch(`${url}/api/tasks/${taskId}`, {
    headers: { authorization: `Bearer ${apiToken}` },
    signal: AbortSignal.timeout(15_000),
  }).catch(() => null);
  if (answer?.ok !== true) return [];
  const view = viewSchema.safeParse(await answer.json().catch(() => null));
  return view.success ? receiptLines(view.data) : [];
}

function failWith(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}

process.exitCode = await main();
