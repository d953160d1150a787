/**
 * Runs many tasks in ten slots of the real Worker (`.ci/run`: nine hundred in twenty), asked for over the
 * API, in Slack and by a storm of deliveries. Its workerd is killed twice and stopped once meanwhile. Only
 * the sandboxes are stubs, which count what really runs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { TaskView } from '../../src/core/task-view.ts';
import { api, startFlow, until, viewOf, type FlowWorld } from './ask.ts';
import { judgeStorm, sendStorm, type Storm, type StormFindings } from '../../chaos/storm.ts';
import { startBotWith, stubSandboxes, type StubSandboxes } from '../../chaos/stub-sandboxes.ts';
import { channels, people } from './slack-world.ts';
import { killWorkerd } from '../../chaos/workerd-process.ts';

const [total, perRepository, issues, commands, deliveries, repositories, equally] =
  process.env['AIRLOCK_FULL_TESTS'] === undefined
    ? [10, 4, 20, 20, 400, 5, 6]
    : [20, 8, 400, 200, 4000, 9, 33];
/**
 * One repository is asked for much on GitHub, another one in Slack. Over the API some ask for the same
 * number, and three ask last for one task each.
 */
const equal = Array.from({ length: repositories }, (_, index) => `equal-${index}`);
const single = ['single-0', 'single-1', 'single-2'];
const asked = [...Array.from({ length: equally }, () => equal).flat(), ...single];
const all = issues + commands + asked.length;

let flow: FlowWorld;
let stubs: StubSandboxes;
let storm: Storm;
let findings: StormFindings;
const ids: string[] = [];
let views: readonly TaskView[] = [];
let places: readonly number[] = [];
/** Whether no sandbox ends its run: then what is asked for waits, however slow this machine is. */
let held = false;

/** As any client would: the same key again when no answer came. */
async function post(repository: string, key: string): Promise<string> {
  for (;;) {
    const answer = await api(flow.world, '/api/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ repository: `acme/${repository}`, instruction: 'look around' }),
    }).catch(() => null);
    if (answer?.status === 202)
      return z.looseObject({ taskId: z.string() }).parse(await answer.json()).taskId;
    await sleep(200);
  }
}

async function postAll(): Promise<void> {
  for (let index = 0; index < asked.length; index += 10)
    ids.push(
      ...(await Promise.all(
        asked
          .slice(index, index + 10)
          .map(async (repository, place) => await post(repository, `slots-test-${index + place}`)),
      )),
    );
}

async function allViews(): Promise<readonly TaskView[]> {
  const found: TaskView[] = [];
  for (let index = 0; index < ids.length; index += 10)
    found.push(
      ...(await Promise.all(ids.slice(index, index + 10).map(async (id) => await viewOf(flow.world, id)))),
    );
  return found;
}

async function whenStarted(share: number): Promise<void> {
  const count = Math.floor(share * all);
  await until(`${count} sandboxes to have been started`, () => stubs.started().length >= count);
}

beforeAll(async () => {
  stubs = await stubSandboxes({ holdMs: (index) => (held ? Infinity : 200 + ((index * 137) % 600)) });
  flow = await startFlow({
    script: [],
    deliveries: 'poll',
    hourlyLimit: null,
    slack: { users: people, channels, deliverTo: 'http' },
    startBot: async (options) => await startBotWith(stubs, options),
    configText: (slack) =>
      JSON.stringify({
        slack: { team: slack.teamId },
        repositories: { 'acme/split-bill': { slack: 'workspace' }, 'acme/*': {} },
        slots: { total, perRepository, perRequester: total },
      }),
  });
  for (const name of [...equal, ...single])
    await flow.world.github.createRepository({ owner: 'acme', name, files: { 'README.md': name } });
  const big = await flow.world.github.createRepository({
    owner: 'acme',
    name: 'big',
    files: { 'README.md': 'big' },
    collaborators: [{ login: 'maria', permission: 'write' }],
  });

  const at = { world: flow.world, stubs };
  const plan = { issues, commands, deliveries, people: ['maria'], atOnce: 30, restarts: [] };
  const sending = sendStorm(at, { ...plan, repositories: [big] });
  const posted = postAll();
  await whenStarted(0.12);
  held = true;
  await killWorkerd(flow.world);
  await posted;
  await until('waiting tasks to tell their places', async () => {
    places = (await allViews()).flatMap(({ queuePosition }) => queuePosition ?? []);
    return places.length > asked.length / 5;
  });
  held = false;
  await whenStarted(0.4);
  await flow.world.restartBot();
  await whenStarted(0.7);
  await killWorkerd(flow.world);
  storm = await sending;
  findings = await judgeStorm(at, storm);
  await whenStarted(1);
  await until(
    'the last tasks to end',
    async () => {
      views = await allViews();
      return views.every(({ status }) => status === 'ended');
    },
    { everyMs: 1000 },
  );
}, 900_000);
afterAll(async () => await flow.close());

type Said = { readonly taskId: string; readonly line: number };
const taskLine = z.looseObject({ event: z.string(), taskId: z.string() });

/**
 * The log lines of the object that grants slots, in order, each task's last, because a line from just before
 * a kill can be wrong. No times, which would measure speed.
 */
function saidOf(event: string): readonly Said[] {
  const last = new Map<string, number>();
  for (const [line, text] of flow.logText.entries()) {
    const said = taskLine.safeParse(JSON.parse(text));
    if (said.success && said.data.event === event) last.set(said.data.taskId, line);
  }
  return [...last].map(([taskId, line]) => ({ taskId, line })).sort((a, b) => a.line - b.line);
}

/** The order in which slots were given, by the names of the repositories. */
function admissions(): readonly (Said & { readonly repository: string })[] {
  const names = new Map(views.map(({ taskId, repository }) => [taskId, repository?.name ?? '']));
  for (const { taskId, name } of storm.issues) names.set(taskId, name);
  const inSlack = 'split-bill';
  return saidOf('slot.granted').map((said) => ({ ...said, repository: names.get(said.taskId) ?? inSlack }));
}

describe('a storm of deliveries, over three restarts', () => {
  it('becomes one task for each trigger, with one sandbox and one answer', () => {
    expect(findings).toEqual({ tasks: issues + commands, answers: issues + commands, problems: [] });
    expect(storm.deliveries).toBeGreaterThanOrEqual(deliveries);
  });

  it('starts nothing when it comes again after the end of its tasks', async () => {
    const { github } = flow.world;
    github.loseWebhooks(() => false);
    const ids = storm.issues.flatMap((issue) => issue.deliveries).map(({ id }) => id);
    const again = await Promise.all(ids.map(async (id) => await github.redeliver(id)));
    expect(again.map(({ status }) => status)).toEqual(ids.map(() => 202));
    // What a second life would do begins with a call to GitHub, and that within a few milliseconds.
    await sleep(500);
    expect(await judgeStorm({ world: flow.world, stubs }, storm)).toEqual(findings);
  });
});

describe('many tasks against few slots, over three restarts', () => {
  it('never have more sandboxes at the same time than slots, and use all slots', () => {
    expect(stubs.most()).toBe(total);
    for (const name of ['big', ...equal])
      expect(stubs.mostOf(`acme/${name}`)).toBeLessThanOrEqual(perRepository);
  });

  it('all end, each in its own good end, and each had one sandbox', () => {
    expect(new Set(ids).size).toBe(asked.length);
    expect(views.map(({ outcome }) => outcome?.kind)).toEqual(asked.map(() => 'no-change'));
    expect(stubs.started()).toHaveLength(all);
    expect(stubs.startedAgain()).toBe(0);
    expect(stubs.running()).toEqual([]);
    for (const { phases } of views) {
      const names = phases.map(({ phase }) => phase);
      expect(new Set(names).size).toBe(names.length);
      expect(names).toEqual(expect.arrayContaining(['slot', 'provision', 'codex', 'collect', 'ended']));
    }
  });

  it('tell their places while they wait', () => {
    expect(Math.min(...places)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...places)).toBeLessThanOrEqual(all - total);
    // Told from time to time and not at each step, but not all the same either.
    expect(new Set(places).size).toBeGreaterThan(asked.length / 10);
  });

  it('are admitted fairly: repositories that ask for the same get on at the same pace', () => {
    const counts = new Map(equal.map((name) => [name, 0]));
    let widest = 0;
    for (const { repository } of admissions()) {
      const count = counts.get(repository);
      if (count === undefined) continue;
      counts.set(repository, count + 1);
      widest = Math.max(widest, Math.max(...counts.values()) - Math.min(...counts.values()));
    }
    // One for the round that is under way, the others for slots that were granted when workerd was killed.
    expect(widest).toBeLessThanOrEqual(4);
  });

  it('of a repository with one task do not wait behind those of one with many', () => {
    const order = admissions();
    const waits = saidOf('slot.waits');
    let waited = 0;
    for (const name of single) {
      const mine = order.find(({ repository }) => repository === name);
      const since = waits.find(({ taskId }) => taskId === mine?.taskId);
      if (mine === undefined || since === undefined) continue;
      waited += 1;
      const before = order.filter(({ line }) => line > since.line && line < mine.line);
      // One turn of each other repository, and no more of any.
      expect(before.length).toBeLessThanOrEqual(2 + equal.length + single.length - 1);
      expect(new Set(before.map(({ repository }) => repository)).size).toBe(before.length);
    }
    // What was said right before a kill may be lost; not what was done.
    expect(order.length).toBeGreaterThan(all - total);
    expect(waited).toBeGreaterThan(0);
  });

  it('are looked after by a sweep now and then, which finds nothing to mend', () => {
    expect(flow.logged('sweep.ended').length).toBeGreaterThan(0);
    expect(flow.logged('sweep.orphan_destroyed')).toEqual([]);
  });

  it('leave all slots free', async () => {
    const id = await post('single-0', 'slots-test-afterwards');
    await until('the task to end', async () => (await viewOf(flow.world, id)).status === 'ended');
    const { phases } = await viewOf(flow.world, id);
    const at = (name: string) => phases.find(({ phase }) => phase === name)?.at ?? Number.NaN;
    expect(at('provision') - at('slot')).toBeLessThan(1000);
  });
});
