/** Starts a world, asks as a person would, and waits for the answer over the API. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { startWorld, type World, type WorldOptions } from '../../cli/demo/world.ts';
import type { CommentView, RepositoryName } from '../../simulators/github/contract.ts';
import { applyPatch, finish, shell, type Move, type Script } from '../../simulators/openai/script.ts';
import { followTask } from '../../cli/terminal/follow-task.ts';
import { taskIdFor } from '../../src/core/ids.ts';
import type { TaskEvent, TaskView } from '../../src/core/task-view.ts';
import type { TaskPhase } from '../../src/core/task.ts';

export const splitBill = { owner: 'acme', name: 'split-bill' } as const;

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}
export interface FlowWorld {
  readonly world: World;
  readonly stateDir: string;
  /** Everything that Worker and sandbox host have logged, as text and parsed. */
  readonly logText: string[];
  logged(event: string): readonly LogLine[];
  close(): Promise<void>;
}

const logLine = z.looseObject({ event: z.string() });

export async function startFlow(
  options: Partial<WorldOptions> & Pick<WorldOptions, 'script'>,
): Promise<FlowWorld> {
  const stateDir = await mkdtemp(join(tmpdir(), 'airlock-flow-'));
  const logText: string[] = [];
  const world = await startWorld({
    files: splitBillFiles,
    log: (line) => void logText.push(line),
    ...options,
    stateDir,
  });
  const parsed: LogLine[] = [];
  const logged = (event: string) => {
    // Each line once: waits ask ten times a second.
    for (const line of logText.slice(parsed.length)) parsed.push(logLine.parse(JSON.parse(line)));
    return parsed.filter((line) => line.event === event);
  };
  const taskIds = (event: string) => new Set(logged(event).map(({ taskId }) => taskId));
  return {
    world,
    stateDir,
    logText,
    logged,
    close: async () => {
      const ended = taskIds('task.ended');
      if ([...taskIds('task.phase_entered')].every((taskId) => ended.has(taskId)))
        await untilNoTokenLives(world);
      await world.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/**
 * A command that ends a second after a person's words were passed on to Codex, and what Codex does then.
 * `heed` has to be the first script: after the remark the prompt names both.
 */
export const steered = {
  heed: [
    applyPatch('*** Begin Patch\n*** Add File: NOTES.md\n+Cents are whole.\n*** End Patch'),
    finish({ title: 'Write it down', summary: 'A note on cents, as asked.' }),
  ],
  listen: [
    shell('until grep -q steer /run/airlock/codex/control.jsonl; do sleep 0.1; done; sleep 1'),
    applyPatch('*** Begin Patch\n*** Add File: UNHEARD.md\n+Nobody added anything.\n*** End Patch'),
    finish({ title: 'Go on alone', summary: 'Nothing was added.' }),
  ],
} as const satisfies Readonly<Record<string, readonly Move[]>>;

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

/** Opens an issue and mentions the bot under it. */
export async function ask(
  world: World,
  text: string,
  {
    author = 'maria',
    repository = world.repository,
  }: { author?: string; repository?: RepositoryName & { readonly id: number } } = {},
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
  {
    author = 'maria',
    repository = world.repository,
  }: { author?: string; repository?: RepositoryName & { readonly id: number } } = {},
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
export async function follow(world: World, taskId: string): Promise<readonly TaskEvent[]> {
  const events: TaskEvent[] = [];
  for await (const event of followTask({
    url: world.bot.url,
    apiToken: world.apiToken,
    taskId,
    patienceMs: 300_000,
  }))
    events.push(event);
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

/** No sandbox is left, and no token that the bot minted still works, also of a Worker that was killed. */
export async function untilNothingIsLeft(flow: FlowWorld): Promise<void> {
  await until('every sandbox destroyed', () => flow.world.bot.sandboxes().length === 0);
  const many = (event: string) => flow.logged(event).length;
  await until('every end told', () => many('sandbox.ended') === many('sandbox.started'));
  await untilNoTokenLives(flow.world);
}

/** If its Worker was killed before the answer, nobody knows or used a token, or can revoke it. */
async function untilNoTokenLives({ github }: World): Promise<void> {
  await until('every token revoked', () =>
    github.issuedTokens().every(({ revoked, used }) => revoked || !used),
  );
}
