/**
 * The whole machine stops in the middle of a task, sandboxes included, and starts on the same state. Then its
 * disk is full.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { drain } from '../../cli/start/drain.ts';
import { listOpenTasks } from '../../cli/task/bot-api.ts';
import { startBot, type BotOptions, type DrainableBot } from '../../host/bot.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import type { TaskEvent } from '../../src/core/task-view.ts';
import {
  ask,
  askOn,
  botComments,
  follow,
  scriptsByName,
  splitBill,
  startFlow,
  steered,
  until,
  untilCommand,
  untilEnded,
  untilNothingIsLeft,
  untilPhase,
  viewOf,
  type Asked,
  type FlowWorld,
} from './ask.ts';

/** The state of the bot is on a small disk of its own, where this user may mount one. */
let disk: string | null = null;
const diskMiB = 96;
/** The bot is stopped for the last time. */
let isOver = false;

async function startOnSmallDisk(options: BotOptions): Promise<DrainableBot> {
  mkdirSync(options.stateDir, { recursive: true });
  const mount = ['-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'airlock-test', options.stateDir];
  if (disk === null && spawnSync('mount', mount).status === 0) disk = options.stateDir;
  const bot = await startBot(options);
  return {
    ...bot,
    stop: async () => {
      await bot.stop();
      if (isOver && disk !== null) spawnSync('umount', ['--lazy', disk]);
    },
  };
}

describe('a bot that is stopped while a task runs and started again', () => {
  let flow: FlowWorld;
  let finished: Asked;
  let asked: Asked;
  let events: readonly TaskEvent[];
  let bot: DrainableBot;

  beforeAll(async () => {
    const answer = finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' });
    flow = await startFlow({
      startBot: async (options) => (bot = await startOnSmallDisk(options)),
      // In this order: what is asked last in an issue comes with all that was asked there before.
      script: scriptsByName({
        ...steered,
        mend: [applyPatch(splitBillPatch), answer],
        wait: [applyPatch(splitBillPatch), shell('sleep 3600'), answer],
        brief: [shell('sleep 1; echo first'), applyPatch(splitBillPatch), answer],
      }),
    });
    finished = await ask(flow.world, '@airlock mend it [mend]');
    await untilEnded(flow.world, finished.taskId);
    asked = await ask(flow.world, '@airlock mend it [wait]');
    const following = follow(flow.world, asked.taskId);
    await untilCommand(flow.world, asked.taskId, 'sleep 3600');
    await flow.world.restartBot();
    events = await following;
  });
  afterAll(async () => {
    isOver = true;
    await flow.close();
  });

  it('ends the task with the reason: its sandbox is lost', async () => {
    const view = await untilEnded(flow.world, asked.taskId);
    expect(view.outcome).toMatchObject({
      kind: 'failed',
      reason: {
        code: 'sandbox-lost',
        message: expect.stringContaining('The sandbox was lost'),
        next: 'Ask again to start over.',
      },
    });
    expect(events.filter(({ body }) => body.kind === 'ended')).toHaveLength(1);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  });

  it('says so in a new comment that the first one links, and opens nothing', async () => {
    const comments = botComments(flow.world, { ...splitBill, issue: asked.issue });
    expect(comments).toHaveLength(2);
    expect(comments[0]?.body).toContain(`#issuecomment-${comments[1]?.id}`);
    expect(comments[1]?.body).toMatch(/^@\w+ [^]*❌ Failed[^]*The sandbox was lost/);
    expect(await flow.world.github.pulls(splitBill)).toHaveLength(1);
  });

  it('still knows what had ended before, and does not do it again', async () => {
    expect((await viewOf(flow.world, finished.taskId)).outcome).toMatchObject({ kind: 'pull-request' });
    expect((await flow.world.github.redeliver(finished.delivery)).status).toBe(202);
    expect(await flow.world.github.pulls(splitBill)).toHaveLength(1);
  });

  it('works on a new mention in the same issue', async () => {
    const again = await askOn(flow.world, asked.issue, '@airlock mend it [mend]');
    expect((await untilEnded(flow.world, again.taskId)).outcome).toMatchObject({ kind: 'pull-request' });
    expect(await flow.world.github.pulls(splitBill)).toHaveLength(2);
    expect(botComments(flow.world, { ...splitBill, issue: asked.issue })).toHaveLength(3);
  });

  it('drains: a running task ends, an accepted one is carried out after the next start', async () => {
    const running = await ask(flow.world, '@airlock wait for my words [listen]');
    await untilCommand(flow.world, running.taskId, 'grep -q steer');
    bot.drain();
    const accepted = await ask(flow.world, '@airlock mend it [mend]');
    await untilPhase(flow.world, accepted.taskId, 'provision');
    const health = await (await fetch(`${bot.url}/healthz`)).json();
    expect(health).toMatchObject({ ok: true, status: 'draining', bot: expect.any(String) });

    const said: string[] = [];
    const { url, readToken: apiToken } = bot;
    const draining = drain(
      {
        openTasks: async () => (await listOpenTasks({ url, apiToken })).tasks,
        sandboxes: () => bot.sandboxes(),
        say: (line) => said.push(line),
        now: Date.now,
        pause: async () => await sleep(100),
      },
      Number.MAX_SAFE_INTEGER,
      AbortSignal.timeout(600_000),
    );
    await askOn(flow.world, running.issue, '@airlock write it down [heed]');
    await draining;
    expect(said.filter((line) => line.includes(`acme/split-bill#${running.issue}  maria`))).toHaveLength(1);
    expect(said.at(-1)).toBe('No task runs any more.');
    expect((await viewOf(flow.world, running.taskId)).outcome).toMatchObject({ kind: 'pull-request' });
    expect(await viewOf(flow.world, accepted.taskId)).toMatchObject({ phase: 'provision', outcome: null });

    await flow.world.restartBot();
    expect((await untilEnded(flow.world, accepted.taskId)).outcome).toMatchObject({ kind: 'pull-request' });
  });

  it('names its full disk, waits, and ends its task when there is room again', async (test) => {
    if (disk === null) return test.skip('this user may not mount a disk');
    const task = await ask(flow.world, '@airlock mend it [brief]');
    await untilCommand(flow.world, task.taskId, 'echo first');
    const filler = join(disk, 'filler');
    // What there is room for is written.
    expect(() => writeFileSync(filler, Buffer.alloc(diskMiB * 1024 * 1024))).toThrow('ENOSPC');
    const health = async () => await fetch(`${bot.url}/healthz`).catch(() => null);
    await until('the full disk to be reported', async () => (await health())?.status === 503);
    expect(await (await health())?.json()).toMatchObject({
      error: { code: 'not-writable', message: expect.stringMatching(/ENOSPC.*free space/) },
    });
    await until('a write to fail', () => flow.logText.some((line) => line.includes('SQLITE_FULL')));
    rmSync(filler);
    expect((await untilEnded(flow.world, task.taskId)).outcome).toMatchObject({ kind: 'pull-request' });
    expect(botComments(flow.world, { ...splitBill, issue: task.issue })).toHaveLength(1);
  });

  it('left no sandbox behind', async () => {
    await untilNothingIsLeft(flow);
    expect(flow.logged('sandbox.started')).toHaveLength(disk === null ? 5 : 6);
  });
});
