/** Asks as a person would, and waits for the answer over the API. For flow tests and chaos. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { World } from '../cli/demo/world.ts';
import { followTask, type FollowOptions } from '../cli/terminal/follow-task.ts';
import type { CommentView, RepositoryName } from '../simulators/github/contract.ts';
import type { Move, Script } from '../simulators/openai/script.ts';
import { taskIdFor } from '../src/core/ids.ts';
import type { TaskEvent, TaskView } from '../src/core/task-view.ts';
import type { TaskPhase } from '../src/core/task.ts';

/** One world, many tasks: which script a task gets is said by `[name]` in what is asked. */
export function scriptsByName(
  scripts: Readonly<Record<string, readonly Move[] | ((prompt: string) => readonly Move[])>>,
): Script {
  return ({ prompt }) => {
    const name = Object.keys(scripts).find((candidate) => prompt.includes(`[${candidate}]`));
    if (name === undefined) throw new Error('the prompt names no script');
    const script = scripts[name] ?? [];
    return typeof script === 'function' ? script(prompt) : script;
  };
}

export interface Asked {
  readonly taskId: string;
  readonly repository: RepositoryName & { readonly id: number };
  readonly issue: number;
  /** Id of the comment with the mention. */
  readonly comment: number;
  readonly delivery: string;
}

/** Who asks, and in which repository. Default: maria, in the world's own. */
interface AskedBy {
  readonly author?: string;
  readonly repository?: Asked['repository'];
}

/** Opens an issue and mentions the bot under it. */
export async function ask(
  world: World,
  text: string,
  { author = 'maria', repository = world.repository }: AskedBy = {},
): Promise<Asked> {
  const { owner, name } = repository;
  const { number } = await world.github.openIssue({
    owner,
    name,
    author,
    title: 'split() loses a cent',
    body: 'Somebody has to pay it.',
  });
  return await askOn(world, number, text, { author, repository });
}

/** Mentions the bot under an issue that is there. */
export async function askOn(
  world: World,
  issue: number,
  text: string,
  { author = 'maria', repository = world.repository }: AskedBy = {},
): Promise<Asked> {
  const { owner, name } = repository;
  const { id, delivery } = await world.github.commentOnIssue({ owner, name, issue, author, body: text });
  const taskId = taskIdFor({ event: 'issue_comment', repositoryId: repository.id, commentId: id });
  return { taskId, repository, issue, comment: id, delivery: delivery.id };
}

const viewSchema = z.custom<TaskView>(
  (value) =>
    z.looseObject({ taskId: z.string(), phase: z.string(), receipt: z.looseObject({}) }).safeParse(value)
      .success,
);

export async function api(world: World, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${world.apiToken}`);
  // One connection per request: the Worker closes a connection on which it refused a body.
  headers.set('connection', 'close');
  return await fetch(`${world.bot.url}${path}`, { ...init, headers, signal: AbortSignal.timeout(120_000) });
}

export async function viewOf(world: World, taskId: string): Promise<TaskView> {
  const response = await api(world, `/api/tasks/${taskId}`);
  if (!response.ok) throw new Error(`no view of ${taskId}: ${response.status}`);
  return viewSchema.parse(await response.json());
}

/** Follows the task's log to its end, across restarts of the Worker, and returns the events. */
export async function follow(
  { bot, apiToken }: World,
  taskId: string,
  options: Pick<FollowOptions, 'patienceMs' | 'signal'> = { patienceMs: 300_000 },
): Promise<readonly TaskEvent[]> {
  const events: TaskEvent[] = [];
  for await (const event of followTask({ ...options, url: bot.url, apiToken, taskId })) events.push(event);
  return events;
}

/** Waits for the task's end and the clean-up: the last edit, the destroyed sandbox, the revoked tokens. */
export async function untilEnded(world: World, taskId: string): Promise<TaskView> {
  await follow(world, taskId);
  const view = await viewOf(world, taskId);
  if (view.issueNumber !== null && view.repository !== null) {
    const at = { ...view.repository, issue: view.issueNumber };
    await until('the comment is in its last state', () =>
      stickyComments(world, at, taskId).some(({ body }) => !body.includes('⏳')),
    );
  }
  return view;
}

export async function untilPhase(world: World, taskId: string, phase: TaskPhase): Promise<void> {
  await until(
    `phase ${phase}`,
    async () => {
      const view = await viewOf(world, taskId).catch(() => null); // the Worker may be restarting
      return view?.phases.some((entered) => entered.phase === phase) === true;
    },
    { everyMs: 50 },
  );
}

/** Until a command that contains `text` runs in the sandbox. */
export async function untilCommand(world: World, taskId: string, text: string): Promise<void> {
  await until(`a command with ${text}`, async () => {
    const view = await viewOf(world, taskId).catch(() => null);
    return view?.progress?.commands.some(({ command }) => command.includes(text)) === true;
  });
}

function stickyComments(
  world: World,
  at: RepositoryName & { issue: number },
  taskId: string,
): readonly CommentView[] {
  const all = [...world.github.comments(at), ...world.github.reviewComments({ ...at, number: at.issue })];
  return all.filter(
    ({ author, body }) => author === 'airlock[bot]' && body.includes(`<!-- airlock:task=${taskId} -->`),
  );
}
export function botComments(world: World, at: RepositoryName & { issue: number }): readonly CommentView[] {
  return world.github.comments(at).filter(({ author }) => author === 'airlock[bot]');
}

/** Until the bot is ready again after its Worker was killed. */
export async function untilAnswers(world: World): Promise<void> {
  await until('the bot to answer', async () => {
    const signal = AbortSignal.timeout(10_000);
    return (await fetch(`${world.bot.url}/healthz`, { signal }).catch(() => null))?.ok === true;
  });
}

/** Rejects, naming what it waited for, after `withinMs`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { withinMs = 300_000, everyMs = 100 } = {},
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(everyMs);
  }
}
