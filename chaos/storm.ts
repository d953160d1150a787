/**
 * Sends many deliveries of fewer triggers to the real Worker: shuffled, duplicated, at once, half of the
 * triggers lost on the way so that only GitHub's log of deliveries has them, with restarts in between.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../cli/demo/world.ts';
import type { Delivery, RepositoryName } from '../simulators/github/contract.ts';
import { taskIdFor } from '../src/core/ids.ts';
import { boundedAll } from '../src/lib/bounded-all.ts';
import { api, botComments, until, viewOf } from './ask.ts';
import { sendAtOnce, signedCommands, type SignedCommand } from './slack-commands.ts';
import type { StubSandboxes } from './stub-sandboxes.ts';

export interface StormPlan {
  /** Issues with a mention, a third of them also with the label, which is an event of its own. */
  readonly issues: number;
  /** Slash commands in Slack. */
  readonly commands: number;
  /** Deliveries of all of them, about. */
  readonly deliveries: number;
  readonly repositories: readonly (RepositoryName & { readonly id: number })[];
  /** Logins of people who may ask. */
  readonly people: readonly string[];
  /** Deliveries under way at the same time. */
  readonly atOnce: number;
  /** Done one after the other, when this share of the deliveries is sent. */
  readonly restarts: readonly { readonly at: number; readonly restart: () => Promise<unknown> }[];
  readonly progress?: (line: string) => void;
}

interface Issue extends RepositoryName {
  readonly issue: number;
  readonly taskId: string;
  readonly deliveries: readonly Delivery[];
}
export interface Storm {
  readonly issues: readonly Issue[];
  /** Short ids of the tasks in the answers to Slack, by command. */
  readonly commands: ReadonlyMap<SignedCommand, ReadonlySet<string>>;
  /** Attempts at a delivery, failed ones included. */
  readonly deliveries: number;
  /** Milliseconds that the Worker took to acknowledge one of GitHub's. */
  readonly acknowledgedMs: readonly number[];
}

export interface StormWorld {
  readonly world: World;
  readonly stubs: StubSandboxes;
}

/** How far the deliveries are ahead of the tasks: they keep coming until nearly all tasks have ended. */
const headStart = 0.3;
const isLost = '[lost on the way]';

export async function sendStorm({ world, stubs }: StormWorld, plan: StormPlan): Promise<Storm> {
  const { github } = world;
  github.loseWebhooks(({ body }) => body.includes(isLost));
  const issues: Issue[] = [];
  const open = async (index: number): Promise<void> => {
    const repository = plan.repositories[index % plan.repositories.length];
    if (repository === undefined) throw new Error('a storm needs repositories');
    const { owner, name, id } = repository;
    const opened = await github.openIssue({
      owner,
      name,
      author: plan.people[index % plan.people.length] ?? '',
      title: `Look around ${index % 2 === 0 ? isLost : ''}`,
      body: `@airlock look around, number ${index}`,
      labels: index % 3 === 0 ? ['codex'] : [],
    });
    const taskId = taskIdFor({ event: 'issue_opened', repositoryId: id, issueNumber: opened.number });
    const deliveries = [opened.delivery, ...opened.labelDeliveries];
    issues.push({ owner, name, issue: opened.number, taskId, deliveries });
  };
  const commands = new Map<SignedCommand, Set<string>>();
  if (plan.commands > 0)
    for (const command of signedCommands(
      world.slack,
      plan.commands,
      (index) => `acme/split-bill mend it (${index})`,
    ))
      commands.set(command, new Set());
  /** Until Slack's request is acknowledged. */
  const send = async (command: SignedCommand, shortIds: Set<string>): Promise<void> => {
    for (;;) {
      const answers = await sendAtOnce(`${world.bot.url}/slack/events`, [command]).catch(() => []);
      const shortId = /[0-9a-f]{8}/.exec(answers[0]?.body ?? '')?.[0];
      if (answers[0]?.status === 200 && shortId !== undefined) return void shortIds.add(shortId);
      await sleep(100);
    }
  };
  const pick = <Item>(items: readonly Item[]): Item | undefined =>
    items[Math.floor(Math.random() * items.length)];
  const redeliver = async (): Promise<void> => {
    await until('the first issue to be there', () => issues.length > 0, { everyMs: 20 });
    const delivery = pick(pick(issues)?.deliveries ?? []);
    if (delivery !== undefined) await github.redeliver(delivery.id);
  };

  const firsts = [
    ...Array.from({ length: plan.issues }, (_, index) => async () => await open(index)),
    ...[...commands].map(
      ([command, shortIds]) =>
        async () =>
          await send(command, shortIds),
    ),
  ];
  // Commands are signed for five minutes, so they are first.
  const again = [...commands].flatMap(([command, shortIds]) =>
    Array.from({ length: 2 }, () => async () => await send(command, shortIds)),
  );
  const opened = Math.ceil(plan.issues * (4 / 3));
  const more = Math.max(0, plan.deliveries - opened - 3 * plan.commands);
  const sending = [
    ...shuffled([...firsts.splice(plan.issues), ...again]),
    // One before all that is delivered again.
    ...firsts.splice(0, 1),
    ...shuffled([...firsts, ...Array.from({ length: more }, () => redeliver)]),
  ];
  const ended = () => stubs.started().length - stubs.running().length;
  const tasks = plan.issues + plan.commands;
  const restarts = plan.restarts.map(({ at, restart }) => ({ at: Math.floor(at * sending.length), restart }));
  let restarted: Promise<unknown> = Promise.resolve();
  let sent = 0;
  await boundedAll(sending, plan.atOnce, async (deliver) => {
    const isDue = () => sent < sending.length * (headStart + ended() / tasks);
    await until('tasks to end', isDue, { everyMs: 50, withinMs: 3_600_000 });
    sent += 1;
    const due = restarts.find(({ at }) => at === sent);
    if (due !== undefined) restarted = restarted.then(due.restart);
    if (sent % 1000 === 0) plan.progress?.(`${sent} deliveries sent, ${ended()} of ${tasks} tasks worked`);
    await deliver();
  });
  await restarted;
  const attempts = github.deliveries().flatMap((delivery) => delivery.attempts);
  return {
    issues,
    commands,
    deliveries: attempts.length + 3 * plan.commands,
    acknowledgedMs: attempts.filter(({ status }) => status === 202).map(({ durationMs }) => durationMs),
  };
}

export interface StormFindings {
  readonly tasks: number;
  readonly answers: number;
  readonly problems: readonly string[];
}

/** Waits until every trigger has its answer and nothing is left. `problems`: one sentence each. */
export async function judgeStorm({ world, stubs }: StormWorld, storm: Storm): Promise<StormFindings> {
  const { github } = world;
  const shortIds = [...storm.commands.values()].map((of) => [...of]);
  const commands = shortIds.flat();
  const ends = ({ owner, name, issue }: Issue) =>
    // The comment before it is folded into a link to the end.
    botComments(world, { owner, name, issue }).filter(
      ({ body }) => !body.includes('⏳') && !body.includes('[details](#'),
    ).length;
  const messages = () => (commands.length === 0 ? [] : world.slack.messages('dev'));
  const answersInSlack = () => {
    const texts = messages().map(({ text, shown }) => `${text}\n${shown}`);
    return commands.map((id) => texts.filter((text) => text.includes(id) && !text.includes('⏳')).length);
  };
  const answers = () => [...storm.issues.map(ends), ...answersInSlack()];
  const patience = { everyMs: 500, withinMs: 3_600_000 };
  await until('every trigger to be answered', () => answers().every((count) => count > 0), patience);
  await until('every sandbox to be gone', () => stubs.running().length === 0, patience);
  const live = () => github.issuedTokens().filter(({ revoked, used }) => used && !revoked).length;
  await until('every token to be revoked', () => live() === 0, patience);
  const accepted = { github: storm.issues.length, slack: storm.commands.size };
  await until('every task to be counted', async () => await isCounted(world, accepted), patience);
  const counts = answers();
  const views = await boundedAll(storm.issues, 10, async ({ taskId }) => await viewOf(world, taskId));
  const tasks = new Set([...views.map(({ taskId }) => taskId), ...commands]).size;
  const wanted = storm.issues.length + storm.commands.size;
  const problems = [
    tasks === wanted ? '' : `${wanted} triggers became ${tasks} tasks.`,
    shortIds.every(({ length }) => length === 1) ? '' : 'A command became several tasks.',
    stubs.startedAgain() === 0 ? '' : `${stubs.startedAgain()} sandboxes were started again.`,
    counts.every((count) => count === 1) ? '' : 'A trigger has more than one answer.',
    views.every(({ status }) => status === 'ended') ? '' : 'A task has not ended.',
  ];
  return {
    tasks,
    answers: counts.reduce((sum, count) => sum + count, 0),
    problems: problems.filter((problem) => problem !== ''),
  };
}

/** Whether `/metrics` shows exactly so many accepted tasks: it counts a repeated report once. */
async function isCounted(world: World, accepted: Readonly<Record<string, number>>): Promise<boolean> {
  const text = await (await api(world, '/metrics')).text();
  return Object.entries(accepted).every(([source, count]) =>
    text.includes(`\nairlock_tasks_accepted_total{source="${source}"} ${count}\n`),
  );
}

function shuffled<Item>(items: readonly Item[]): readonly Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
