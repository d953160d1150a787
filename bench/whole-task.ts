/**
 * Measures what Airlock adds to a task, compared with the bare script: both alternate in one run, with a
 * model that answers at once and with one that takes 30 s in total.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoScript } from '../cli/demo/demo-script.ts';
import { splitBillFiles, splitBillIssue } from '../cli/demo/split-bill.ts';
import { startWorld, type World } from '../cli/demo/world.ts';
import { followTask } from '../cli/terminal/follow-task.ts';
import type { CreatedRepository, NewRepository } from '../simulators/github/contract.ts';
import { taskIdFor } from '../src/core/ids.ts';
import { runBareScript } from './bare-script.ts';
import { median, round, type Bench, type Metric } from './metric.ts';

const instruction = 'fix the rounding in split()';
const slowModelMs = 30_000;

interface Timings {
  /** Milliseconds until the webhook was answered. */
  readonly answered: number;
  /** Milliseconds until 👀 and the progress comment were on the issue. */
  readonly acknowledged: number;
  readonly firstModelRequest: number;
  /** Seconds until the pull request existed and the task had ended. */
  readonly whole: number;
}

async function runTask(world: World, repository: CreatedRepository = world.repository): Promise<Timings> {
  const { owner, name } = repository;
  const { number } = await world.github.openIssue({
    owner,
    name,
    author: 'maria',
    title: splitBillIssue.title,
    body: splitBillIssue.body,
  });
  const startedAt = Date.now();
  const { id, delivery } = await world.github.commentOnIssue({
    owner,
    name,
    issue: number,
    author: 'maria',
    body: `@airlock ${instruction}`,
  });
  const taskId = taskIdFor({ event: 'issue_comment', repositoryId: repository.id, commentId: id });
  let acknowledged = 0;
  let endedAt = 0;
  for await (const { at, body } of followTask({
    url: world.bot.url,
    apiToken: world.apiToken,
    taskId,
    patienceMs: 30_000,
  })) {
    if (body.kind === 'acknowledged') acknowledged = at - startedAt;
    if (body.kind !== 'ended') continue;
    if (body.outcome.kind !== 'pull-request')
      throw new Error(`the task ended without a pull request: ${JSON.stringify(body.outcome)}`);
    endedAt = at;
  }
  const first = world.openai?.requests().find((request) => request.at >= startedAt)?.at ?? Number.NaN;
  return {
    answered: delivery.attempts.at(-1)?.durationMs ?? Number.NaN,
    acknowledged,
    firstModelRequest: first - startedAt,
    whole: (endedAt - startedAt) / 1000,
  };
}

async function compare(latencyMs: number, rounds: number, progress: (line: string) => void) {
  const stateDir = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
  const world = await startWorld({ stateDir, script: demoScript, latencyMs, files: splitBillFiles });
  try {
    // The script pushes with its own token, like a script in CI.
    const token = await world.mintToken({ contents: 'write' });
    const bare: number[] = [];
    const ours: Timings[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const cloneUrl = world.repository.cloneUrl.replace('://', `://x-access-token:${token}@`);
      const openaiKey = world.secrets().get('OPENAI_API_KEY') ?? '';
      bare.push(
        await runBareScript({
          cloneUrl,
          openaiUrl: world.openai?.url ?? '',
          openaiKey,
          model: 'gpt-6.1-sol',
          prompt: instruction,
          branch: `bare-${round}`,
        }),
      );
      const timings = await runTask(world);
      progress(
        `round ${round + 1}/${rounds}: bare ${bare.at(-1)?.toFixed(2)} s, airlock ${timings.whole.toFixed(2)} s`,
      );
      ours.push(timings);
    }
    return { bare, ours, modelCalls: world.openai?.requests().length ?? 0 };
  } finally {
    await world.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

const manyFiles = 5_000;

/** Adds a submodule to the default branch, as `git submodule add` does. */
function addSubmodule({ gitDir, headSha }: CreatedRepository): void {
  const git = (args: readonly string[], input = ''): string =>
    execFileSync('git', ['--git-dir', gitDir, ...args], { input, encoding: 'utf8' }).trim();
  const modules = '[submodule "vendor/lib"]\n\tpath = vendor/lib\n\turl = https://github.com/acme/lib.git\n';
  const blob = git(['hash-object', '-w', '--stdin'], modules);
  const library = git(['mktree', '--missing'], `160000 commit ${headSha}\tlib\n`);
  const tree = git(
    ['mktree'],
    `${git(['ls-tree', 'main'])}\n100644 blob ${blob}\t.gitmodules\n040000 tree ${library}\tvendor\n`,
  );
  const author = ['-c', 'user.name=bench', '-c', 'user.email=bench@airlock.example'];
  git([
    'update-ref',
    'refs/heads/main',
    git([...author, 'commit-tree', tree, '-p', 'main', '-m', 'Add lib']),
  ]);
}

/** Webhook to Codex's first request, for repositories of several kinds, in turns. */
async function compareRepositories(
  rounds: number,
  progress: (line: string) => void,
): Promise<readonly Metric[]> {
  const stateDir = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
  const world = await startWorld({
    stateDir,
    script: demoScript,
    files: splitBillFiles,
    configText: JSON.stringify({ repositories: { 'acme/*': {} } }),
  });
  try {
    const create = async (name: string, files: NewRepository['files']) =>
      await world.github.createRepository({
        owner: 'acme',
        name,
        files: { ...splitBillFiles, ...files },
        collaborators: [{ login: 'maria', permission: 'write' }],
      });
    const many = Array.from({ length: manyFiles }, (_, index): [string, string] => [
      `lib/${index % 100}/module-${index}.js`,
      `export const value${index} = ${index};\n`.repeat(20),
    ]);
    const large = await create('large', Object.fromEntries(many));
    const linked = await create('linked', {});
    addSubmodule(linked);
    const kinds = [
      { name: 'small', repository: world.repository, times: new Array<number>() },
      { name: '5,000 files', repository: large, times: new Array<number>() },
      { name: 'a submodule', repository: linked, times: new Array<number>() },
    ] as const;
    for (let round = 0; round < rounds; round += 1)
      for (const { name, repository, times } of kinds) {
        const { firstModelRequest } = await runTask(world, repository);
        progress(`round ${round + 1}/${rounds}: ${name}, first request after ${firstModelRequest} ms`);
        // The first round fills caches.
        if (round > 0) times.push(firstModelRequest);
      }
    const [small, ...others] = kinds;
    const baseline = median(small.times);
    return others.map(({ name, times }) => ({
      name: `webhook to Codex’s first request, ${name}, p50`,
      value: round(median(times), 1),
      unit: 'ms',
      baseline: round(baseline, 1),
      ratio: round(median(times) / baseline),
      goal: 'flat: ratio at most 1.5',
    }));
  } finally {
    await world.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

function wholeTask(name: string, bare: readonly number[], ours: readonly Timings[], goal: string): Metric {
  const value = median(ours.map(({ whole }) => whole));
  const baseline = median(bare);
  return {
    name,
    value: round(value),
    unit: 's',
    baseline: round(baseline),
    ratio: round(value / baseline),
    goal,
  };
}

export const wholeTaskBench: Bench = {
  name: 'task',
  what: 'webhook to acknowledgement and first request; whole task and plain git clone, codex exec, git push',
  run: async (progress) => {
    progress('a model that answers at once');
    const fast = await compare(0, 7, progress);
    // The first round fills caches (pages of the 350 MB binary, the Worker's first request) and is not
    // counted.
    const warm = fast.ours.slice(1);
    const bare = fast.bare.slice(1);
    const calls = Math.round(fast.modelCalls / (fast.bare.length + fast.ours.length));
    // Both sides make the same number of calls, so one latency per call spreads the 30 s for both.
    progress('repositories of several kinds');
    const repositories = await compareRepositories(5, progress);
    progress('a model that takes 30 s in total');
    const slow = await compare(slowModelMs / calls, 2, progress);
    const added = median(warm.map(({ whole }, index) => whole - (bare[index] ?? Number.NaN)));
    return [
      {
        name: 'webhook to answer, p50',
        value: round(median(warm.map(({ answered }) => answered)), 1),
        unit: 'ms',
        goal: null,
      },
      {
        name: 'webhook to acknowledgement on the issue, p50',
        value: round(median(warm.map(({ acknowledged }) => acknowledged)), 1),
        unit: 'ms',
        goal: null,
      },
      {
        name: 'webhook to Codex’s first request, p50',
        value: round(median(warm.map(({ firstModelRequest }) => firstModelRequest)), 1),
        unit: 'ms',
        goal: null,
      },
      ...repositories,
      {
        name: 'added to the bare script, instant model, p50',
        value: round(added),
        unit: 's',
        goal: 'at most 1.5 s',
      },
      wholeTask('whole task, instant model, p50', bare, warm, 'none: the ratio is shown'),
      wholeTask('whole task, model that takes 30 s, p50', slow.bare, slow.ours, 'ratio at most 1.05'),
    ];
  },
};
