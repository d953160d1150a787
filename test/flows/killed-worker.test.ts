/** workerd is killed in the middle of tasks. Each still ends in exactly one pull request. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { startBot, type Bot, type BotOptions } from '../../host/bot.ts';
import type { Fault } from '../../simulators/github/contract.ts';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, plan, shell } from '../../simulators/openai/script.ts';
import type { TaskEvent } from '../../src/core/task-view.ts';
import {
  ask,
  botComments,
  follow,
  scriptsByName,
  startFlow,
  until,
  untilNothingIsLeft,
  untilCommand,
  untilEnded,
  untilPhase,
  type Asked,
  type FlowWorld,
} from './ask.ts';
import { killWorkerd } from '../../chaos/workerd-process.ts';

const answer = finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' });
const waiting = ['first', 'second', 'third'].map((word) => shell(`sleep 1.5; echo ${word}`));

let flow: FlowWorld;
/** The state of the bot is on a small disk of its own, where this user may mount one. */
let disk: string | null = null;
const diskMiB = 96;

async function startOnSmallDisk(options: BotOptions): Promise<Bot> {
  mkdirSync(options.stateDir, { recursive: true });
  const size = `size=${diskMiB}m`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'airlock-test', options.stateDir]);
  if (mounted.status === 0) disk = options.stateDir;
  const bot = await startBot(options);
  return {
    ...bot,
    stop: async () => {
      await bot.stop();
      if (disk !== null) spawnSync('umount', ['--lazy', disk]);
    },
  };
}

beforeAll(async () => {
  flow = await startFlow({
    startBot: startOnSmallDisk,
    configText: JSON.stringify({ repositories: { 'acme/*': {} } }),
    script: scriptsByName({
      slow: [plan(['Wait', 'Mend'], 0), ...waiting, applyPatch(splitBillPatch), answer],
      brief: [shell('sleep 1; echo first'), applyPatch(splitBillPatch), answer],
      quick: [applyPatch(splitBillPatch), answer],
    }),
  });
});
afterAll(async () => await flow.close());

interface Running {
  readonly asked: Asked;
  readonly events: Promise<readonly TaskEvent[]>;
}

/** A repository for each task: exactly one pull request is then one of the task's own. */
async function askIn(name: string, text: string): Promise<Running> {
  const { world } = flow;
  const collaborators = [{ login: 'maria', permission: 'write' }] as const;
  const repository = await world.github.createRepository({
    owner: 'acme',
    name,
    files: splitBillFiles,
    collaborators,
  });
  const asked = await ask(world, text, { repository });
  return { asked, events: follow(world, asked.taskId) };
}

async function expectOneGoodEnd({ asked, events }: Running): Promise<readonly TaskEvent[]> {
  const { world } = flow;
  const view = await untilEnded(world, asked.taskId);
  expect(view.outcome).toMatchObject({ kind: 'pull-request', pullRequest: { draft: false } });
  const pulls = await world.github.pulls(asked.repository);
  expect(pulls.map(({ title }) => title)).toEqual(['Hand out every cent']);
  const branches = await world.github.branches(asked.repository);
  expect(branches.map(({ name }) => name).sort()).toEqual([pulls[0]?.headRef, 'main']);
  const comments = botComments(world, { ...asked.repository, issue: asked.issue });
  expect(comments).toHaveLength(1);
  expect(comments[0]?.body).toContain(pulls[0]?.url);
  const log = await events;
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  expect(log.filter(({ body }) => body.kind === 'ended')).toHaveLength(1);
  return log;
}

/** The words that the slow script's commands echo, as the log tells them. */
const echoed = (log: readonly TaskEvent[]) =>
  log.flatMap(({ body }) =>
    body.kind === 'command.started' ? (/echo (\w+)/.exec(body.command)?.[1] ?? []) : [],
  );

describe('tasks whose Worker is killed once', () => {
  /** GitHub keeps the Worker waiting at a place, so that the blow falls in the middle of a call. */
  const hanging: readonly [
    when: string,
    repository: string,
    phase: 'authorize' | 'acknowledge' | 'clone' | 'publish',
    hang: Fault,
  ][] = [
    [
      'GitHub is asked for a permission',
      'ask',
      'authorize',
      { method: 'GET', path: /\/acme\/ask\/collaborators\//, status: 'timeout' },
    ],
    [
      'the comment is there but GitHub’s answer is not',
      'comment',
      'acknowledge',
      { method: 'POST', path: /\/acme\/comment\/issues\/\d+\/comments$/, status: 'timeout', when: 'after' },
    ],
    [
      'the sandbox clones',
      'clone',
      'clone',
      { method: 'POST', path: /^\/acme\/clone(?:\.git)?\/git-upload-pack$/, status: 'timeout' },
    ],
    [
      'the files are being sent',
      'tree',
      'publish',
      { method: 'POST', path: /\/acme\/tree\/git\/trees$/, status: 'timeout' },
    ],
    [
      'the branch is there but GitHub’s answer is not',
      'branch',
      'publish',
      { method: 'POST', path: /\/acme\/branch\/git\/refs$/, status: 'timeout', when: 'after' },
    ],
    [
      'the pull request is there but GitHub’s answer is not',
      'pull',
      'publish',
      { method: 'POST', path: /\/acme\/pull\/pulls$/, status: 'timeout', when: 'after' },
    ],
  ];
  const running = new Map<string, Running>();

  /** One blow for all of them: each would else wait for the heartbeat of its own. */
  beforeAll(async () => {
    const { github } = flow.world;
    for (const [, repository, , hang] of hanging) {
      github.failNext(hang);
      running.set(repository, await askIn(repository, '@airlock mend it [quick]'));
    }
    await Promise.all(
      hanging.map(
        async ([, repository, phase]) =>
          await untilPhase(flow.world, running.get(repository)?.asked.taskId ?? '', phase),
      ),
    );
    running.set('work', await askIn('work', '@airlock mend it [slow]'));
    await untilCommand(flow.world, running.get('work')?.asked.taskId ?? '', 'echo first');
    await killWorkerd(flow.world);
  });

  const runningIn = (repository: string): Running =>
    running.get(repository) ?? expect.fail(`nothing was asked in ${repository}`);

  it('go on when Codex works: no command is run or told twice', async () => {
    expect(echoed(await expectOneGoodEnd(runningIn('work')))).toEqual(['first', 'second', 'third']);
  });

  it.each(hanging)('go on when %s', async (_, repository, __, { method, path }) => {
    await expectOneGoodEnd(runningIn(repository));
    // Proves the premise: the call was cut off by the blow, not answered before.
    const calls = flow.world.github
      .requests()
      .filter((call) => call.method === method && path.test(call.path.replace(/\?.*/, '')));
    expect(calls.map(({ status }) => status)).toContain(null);
  });

  it('leave no sandbox behind', async () => {
    await untilNothingIsLeft(flow);
    expect(flow.world.bot.sandboxes()).toEqual([]);
  });
});

describe('a task whose Worker is killed again and again', () => {
  it('goes on each time', async () => {
    const task = await askIn('again', '@airlock mend it [slow]');
    await untilPhase(flow.world, task.asked.taskId, 'provision');
    await killWorkerd(flow.world);
    await untilCommand(flow.world, task.asked.taskId, 'echo first');
    await killWorkerd(flow.world);
    await sleep(200);
    await killWorkerd(flow.world);
    expect(echoed(await expectOneGoodEnd(task))).toEqual(['first', 'second', 'third']);
    await untilNothingIsLeft(flow);
  });
});

describe('a task whose disk is full while Codex works', () => {
  it('waits, is reported by name, and ends when there is room again', async (test) => {
    if (disk === null) return test.skip('this user may not mount a disk');
    const { bot } = flow.world;
    const task = await askIn('full', '@airlock mend it [brief]');
    await untilCommand(flow.world, task.asked.taskId, 'echo first');
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
    await expectOneGoodEnd(task);
    await untilNothingIsLeft(flow);
  });
});
